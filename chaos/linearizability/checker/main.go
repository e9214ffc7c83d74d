// The checker reads a history, one operation a line, and says whether it is linearizable.
//
// Its verdict is one line of JSON on stdout, whatever it is; another exit code than 0 means that
// there is none, because the history could not be read.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/anishathalye/porcupine"
)

// A specification is what a history is held against.
type specification struct {
	// decode refuses what it does not know.
	decode func(kind string, text []byte) (act, error)
	// thin leaves out of one subject's history what changes nothing about the verdict.
	thin  func([]operation) []operation
	model porcupine.Model
}

// An act is what was asked for and what was answered.
type act interface {
	describe() string
	// unanswered is what is left of it when the answer is not known; nil when nothing is.
	unanswered() act
}

func main() {
	name := flag.String("of", "record", "what the history is of: record or key-space")
	timeout := flag.Duration("timeout", time.Minute, "for all of it; then the verdict is unknown")
	picture := flag.String("picture", "", "a file for a page that shows the first illegal history")
	flag.Parse()
	specifications := map[string]func() specification{
		"record":    recordSpecification,
		"key-space": keySpaceSpecification,
	}
	specify, known := specifications[*name]
	if !known || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(specify(), *timeout, *picture); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(of specification, timeout time.Duration, picture string) error {
	history, err := readHistory(os.Stdin, of.decode)
	if err != nil {
		return err
	}
	verdict, err := judge(of, history, time.Now().Add(timeout), picture)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(verdict)
}
