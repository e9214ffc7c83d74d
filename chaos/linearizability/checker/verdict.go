package main

import (
	"cmp"
	"encoding/json"
	"slices"
	"sort"
	"time"

	"github.com/anishathalye/porcupine"
)

type verdict struct {
	// ok, illegal or unknown: time was up for a part of it, and the rest is ok.
	Verdict    string   `json:"verdict"`
	Operations int      `json:"operations"`
	Models     int      `json:"models"`
	Undecided  []string `json:"undecided"`
	Illegal    []fault  `json:"illegal"`
}

// A fault is the shortest beginning of a model's history that no order explains.
type fault struct {
	Model string `json:"model"`
	// Operations that were called until then; of those that return later the answer does not count.
	History []json.RawMessage `json:"history"`
	// Last is the one whose answer cannot be.
	Last json.RawMessage `json:"last"`
}

func judge(of specification, history []operation, until time.Time, picture string) (verdict, error) {
	bySubject := map[string][]operation{}
	for _, each := range history {
		bySubject[each.subject] = append(bySubject[each.subject], each)
	}
	subjects := make([]string, 0, len(bySubject))
	for subject := range bySubject {
		subjects = append(subjects, subject)
	}
	// The short ones first: what they tell is told before time is up.
	sort.Slice(subjects, func(i, j int) bool {
		a, b := subjects[i], subjects[j]
		if len(bySubject[a]) != len(bySubject[b]) {
			return len(bySubject[a]) < len(bySubject[b])
		}
		return a < b
	})
	found := verdict{
		Verdict:    "ok",
		Operations: len(history),
		Models:     len(subjects),
		Undecided:  []string{},
		Illegal:    []fault{},
	}
	for _, subject := range subjects {
		model, own := of.model, of.thin(bySubject[subject])
		switch check(model, own, until) {
		case porcupine.Unknown:
			found.Undecided = append(found.Undecided, subject)
		case porcupine.Illegal:
			shortest, last := shortestIllegal(model, own, until)
			if picture != "" && len(found.Illegal) == 0 {
				if err := draw(model, shortest, until, picture); err != nil {
					return found, err
				}
			}
			found.Illegal = append(found.Illegal, fault{subject, texts(shortest), last.text})
		}
	}
	if len(found.Illegal) > 0 {
		found.Verdict = "illegal"
	} else if len(found.Undecided) > 0 {
		found.Verdict = "unknown"
	}
	return found, nil
}

// check never takes time that is up for a verdict.
func check(model porcupine.Model, history []operation, until time.Time) porcupine.CheckResult {
	left := time.Until(until)
	if left <= 0 {
		return porcupine.Unknown
	}
	return porcupine.CheckOperationsTimeout(model, operationsOf(history), left)
}

// shortestIllegal cuts an illegal history at the earliest return that makes it so. What cannot be
// decided in time is not cut any further.
func shortestIllegal(model porcupine.Model, history []operation, until time.Time) ([]operation, operation) {
	returning := slices.DeleteFunc(slices.Clone(history), func(each operation) bool {
		return each.ret == never
	})
	slices.SortStableFunc(returning, func(a, b operation) int { return cmp.Compare(a.ret, b.ret) })
	first := sort.Search(len(returning)-1, func(i int) bool {
		return check(model, beginning(history, returning[i].ret), until) == porcupine.Illegal
	})
	return beginning(history, returning[first].ret), returning[first]
}

// beginning is what was known of a history at a time.
func beginning(history []operation, at int64) []operation {
	var begun []operation
	for _, each := range history {
		if each.call > at {
			continue
		}
		if each.ret != never && each.ret > at {
			each.ret = never
			each.act = each.act.unanswered()
		}
		if each.act != nil {
			begun = append(begun, each)
		}
	}
	return begun
}

func operationsOf(history []operation) []porcupine.Operation {
	clients := map[string]int{}
	// What never returned is drawn, and ordered, just after everything else.
	var last int64
	for _, each := range history {
		last = max(last, each.call)
		if each.ret != never {
			last = max(last, each.ret)
		}
	}
	operations := make([]porcupine.Operation, len(history))
	for i, each := range history {
		if _, known := clients[each.client]; !known {
			clients[each.client] = len(clients)
		}
		operations[i] = porcupine.Operation{
			ClientId: clients[each.client],
			Input:    each.act,
			Output:   each.ret != never,
			Call:     each.call,
			Return:   min(each.ret, last+1),
		}
	}
	return operations
}

func draw(model porcupine.Model, history []operation, until time.Time, path string) error {
	// One more second: the picture is of what was found illegal in time.
	left := max(time.Until(until), time.Second)
	_, info := porcupine.CheckOperationsVerbose(model, operationsOf(history), left)
	return porcupine.VisualizePath(model, info, path)
}

func texts(history []operation) []json.RawMessage {
	all := make([]json.RawMessage, len(history))
	for i, each := range history {
		all[i] = each.text
	}
	return all
}
