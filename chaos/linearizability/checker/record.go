package main

import (
	"fmt"
	"slices"

	"github.com/anishathalye/porcupine"
)

// The record of one model, as the brokers keep it. Versions count from 1; 0 stands for none.
type record struct {
	exists bool
	// last is the highest version that is known to be allocated. There may be higher ones once
	// there are unknown ones: those of allocations whose outcome is not known.
	last    int
	unknown bool
	// floor: versions up to here belonged to a model that was deleted.
	floor, high               int
	serving, target, previous int
	hold                      bool
	// byRollback: why the target was set.
	byRollback bool
	// log says what served after how many changes; its newest entry first.
	log *entry
	// seen is what each broker has shown at least: a number of changes.
	seen []int
}

type entry struct {
	n, serving int
	before     *entry
}

func (r record) changes() int {
	if r.log == nil {
		return 0
	}
	return r.log.n
}

// servedAt is what served after so many changes; nothing did before the first.
func (r record) servedAt(n int) int {
	for at := r.log; at != nil; at = at.before {
		if at.n == n {
			return at.serving
		}
	}
	return 0
}

func (r record) changed(serving int) record {
	r.serving = serving
	r.log = &entry{r.changes() + 1, serving, r.log}
	return r
}

func (r record) shownBy(broker, changes int) record {
	seen := make([]int, max(len(r.seen), broker+1))
	copy(seen, r.seen)
	seen[broker] = changes
	r.seen = seen
	return r
}

func (r record) shown(broker int) int {
	if broker >= len(r.seen) {
		return 0
	}
	return r.seen[broker]
}

// holding is the record once a version is known to be there.
func (r record) holding(version int) (record, bool) {
	legal := r.exists && version > r.floor && (version <= r.last || r.unknown)
	r.last = max(r.last, version)
	return r, legal
}

func (r record) born(floor int) record {
	r.exists, r.floor, r.high = true, floor, floor
	r.serving, r.target, r.previous, r.hold, r.byRollback = 0, 0, 0, false, false
	return r
}

func recordSpecification() specification {
	return specification{
		decode: decodeRecordAct,
		thin:   thinAllocations,
		model: porcupine.Model{
			Init: func() any { return record{} },
			Step: func(state, input, output any) (bool, any) {
				before := state.(record)
				after, legal := input.(recordAct).apply(before)
				if legal {
					return true, after
				}
				// What may not have been done at all is explained by that.
				return !output.(bool), before
			},
			Equal:             func(a, b any) bool { return sameRecord(a.(record), b.(record)) },
			Hash:              func(state any) uint64 { return state.(record).hash() },
			DescribeOperation: func(input, _ any) string { return input.(act).describe() },
			DescribeState:     func(state any) string { return state.(record).describe() },
		},
	}
}

func sameRecord(a, b record) bool {
	same := a.exists == b.exists && a.last == b.last && a.unknown == b.unknown &&
		a.floor == b.floor && a.high == b.high && a.serving == b.serving && a.target == b.target && a.previous == b.previous &&
		a.hold == b.hold && a.byRollback == b.byRollback && slices.Equal(a.seen, b.seen)
	one, other := a.log, b.log
	for same && one != other {
		if one == nil || other == nil || one.n != other.n || one.serving != other.serving {
			return false
		}
		one, other = one.before, other.before
	}
	return same
}

func (r record) hash() uint64 {
	hash := uint64(14695981039346656037)
	for _, part := range []int{r.last, r.high, r.serving, r.target, r.previous, r.changes()} {
		hash = (hash ^ uint64(part)) * 1099511628211
	}
	return hash
}

func (r record) describe() string {
	if !r.exists {
		return fmt.Sprintf("not there (last %d, changes %d)", r.last, r.changes())
	}
	return fmt.Sprintf("serving %d target %d previous %d high %d hold %t last %d changes %d",
		r.serving, r.target, r.previous, r.high, r.hold, r.last, r.changes())
}

// thinAllocations leaves out what makes a search long and tells nothing: of the allocations whose
// outcome is not known only the first one matters, unless it may bring a deleted model back.
func thinAllocations(history []operation) []operation {
	for _, each := range history {
		if _, deleted := each.act.(remove); deleted {
			return history
		}
	}
	var first *operation
	for i := range history {
		each := &history[i]
		if each.act == (allocate{}) && (first == nil || each.call < first.call) {
			first = each
		}
	}
	var thin []operation
	for i := range history {
		if history[i].act != (allocate{}) || &history[i] == first {
			thin = append(thin, history[i])
		}
	}
	return thin
}
