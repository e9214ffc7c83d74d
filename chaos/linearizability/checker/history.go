package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
)

// An operation is one line of the history.
type operation struct {
	client string
	// subject names the partition: what happens to one subject says nothing of another.
	subject string
	// Microseconds. An operation without a known outcome returns at never.
	call, ret int64
	act       act
	// text is the line as it was read.
	text json.RawMessage
}

const never = math.MaxInt64

const lineBytesMax = 1 << 20

func readHistory(from io.Reader, decode func(string, []byte) (act, error)) ([]operation, error) {
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, lineBytesMax)
	var history []operation
	for number := 1; lines.Scan(); number++ {
		read, err := readOperation(bytes.Clone(lines.Bytes()), decode)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		if read.act != nil {
			history = append(history, read)
		}
	}
	return history, lines.Err()
}

func readOperation(line []byte, decode func(string, []byte) (act, error)) (operation, error) {
	var read struct {
		Client   *string
		Model    *string
		CallMs   *float64
		ReturnMs nullable[float64]
		Act      json.RawMessage
	}
	if err := strictly(line, &read); err != nil {
		return operation{}, err
	}
	if read.Client == nil || read.Model == nil || read.CallMs == nil || !read.ReturnMs.given {
		return operation{}, errors.New("client, model, callMs or returnMs is missing")
	}
	var named struct{ Kind string }
	if err := json.Unmarshal(read.Act, &named); err != nil {
		return operation{}, err
	}
	done, err := decode(named.Kind, read.Act)
	if err != nil {
		return operation{}, err
	}
	call, ret := int64(*read.CallMs*1000), int64(never)
	if value, known := read.ReturnMs.get(); known {
		ret = int64(value * 1000)
		if ret < call {
			return operation{}, errors.New("it returns before it is called")
		}
	} else {
		done = done.unanswered()
	}
	return operation{*read.Client, *read.Model, call, ret, done, line}, nil
}

// strictly decodes without letting pass what is not known.
func strictly(text []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return errors.New("something follows the value")
	}
	return nil
}

// A nullable field that must be given: null is a value, absence a fault.
type nullable[T any] struct {
	given bool
	value *T
}

func (n *nullable[T]) UnmarshalJSON(text []byte) error {
	n.given = true
	return json.Unmarshal(text, &n.value)
}

func (n nullable[T]) get() (value T, known bool) {
	if n.value == nil {
		return value, false
	}
	return *n.value, true
}

// or is the value, and another one for null.
func (n nullable[T]) or(other T) T {
	if n.value == nil {
		return other
	}
	return *n.value
}

func required(fields map[string]bool) error {
	for name, given := range fields {
		if !given {
			return fmt.Errorf("%s is missing", name)
		}
	}
	return nil
}
