package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/anishathalye/porcupine"
)

// The key space of a coordinator: what a transaction, a read or the end of a lease makes of it.
type keySpace struct {
	revision int
	entries  map[string]entryOfKey
}

type entryOfKey struct {
	Key, Value                  string
	CreateRevision, ModRevision int
	Lease                       nullable[string]
}

func (e entryOfKey) lease() string { return e.Lease.or("") }

func (e entryOfKey) same(other entryOfKey) bool {
	return e.Key == other.Key && e.Value == other.Value && e.lease() == other.lease() &&
		e.CreateRevision == other.CreateRevision && e.ModRevision == other.ModRevision
}

func keySpaceSpecification() specification {
	return specification{
		decode: decodeKeySpaceAct,
		thin:   func(history []operation) []operation { return history },
		model: porcupine.Model{
			Init: func() any { return keySpace{revision: 1} },
			Step: func(state, input, output any) (bool, any) {
				before := state.(keySpace)
				after, legal := input.(keySpaceAct).apply(before)
				if legal {
					return true, after
				}
				return !output.(bool), before
			},
			Equal: func(a, b any) bool {
				one, other := a.(keySpace), b.(keySpace)
				return one.revision == other.revision &&
					maps.EqualFunc(one.entries, other.entries, entryOfKey.same)
			},
			Hash:              func(state any) uint64 { return uint64(state.(keySpace).revision) },
			DescribeOperation: func(input, _ any) string { return input.(act).describe() },
			DescribeState: func(state any) string {
				return fmt.Sprintf("%d keys at %d", len(state.(keySpace).entries), state.(keySpace).revision)
			},
		},
	}
}

type keySpaceAct interface {
	act
	apply(before keySpace) (after keySpace, legal bool)
}

func decodeKeySpaceAct(kind string, text []byte) (act, error) {
	switch kind {
	case "transact":
		var read struct {
			Kind string
			transact
		}
		err := strictly(text, &read)
		return read.transact, err
	case "get":
		var read struct {
			Kind string
			get
		}
		err := strictly(text, &read)
		return read.get, err
	case "list":
		var read struct {
			Kind string
			list
		}
		err := strictly(text, &read)
		return read.list, err
	case "revoke":
		var read struct {
			Kind string
			revoke
		}
		err := strictly(text, &read)
		return read.revoke, err
	}
	return nil, fmt.Errorf("unknown kind of act: %q", kind)
}

type transact struct {
	When []struct {
		Kind, Key string
		Revision  int
	}
	Then []struct {
		Kind, Key, Value string
		Lease            nullable[string]
	}
	// Null: the answer is not known.
	Succeeded *bool
	Revision  int
}

func (a transact) apply(space keySpace) (keySpace, bool) {
	succeeds := true
	for _, each := range a.When {
		succeeds = succeeds && holds(each.Kind, space.entries[each.Key], each.Revision)
	}
	after := space
	if succeeds {
		after = a.written(space)
	}
	known := a.Succeeded != nil
	return after, !known || (*a.Succeeded == succeeds && a.Revision == after.revision)
}

// holds takes the entry without revisions, which is of no key, for absence.
func holds(kind string, entry entryOfKey, revision int) bool {
	switch kind {
	case "absent":
		return entry.ModRevision == 0
	case "present":
		return entry.ModRevision > 0
	case "modified-at":
		return entry.ModRevision == revision
	case "created-at":
		return entry.CreateRevision == revision
	}
	return false
}

func (a transact) written(space keySpace) keySpace {
	after := keySpace{space.revision + 1, maps.Clone(space.entries)}
	if after.entries == nil {
		after.entries = map[string]entryOfKey{}
	}
	changes := false
	for _, each := range a.Then {
		before, was := after.entries[each.Key]
		if each.Kind == "delete" {
			delete(after.entries, each.Key)
			changes = changes || was
			continue
		}
		made := after.revision
		if was {
			made = before.CreateRevision
		}
		after.entries[each.Key] = entryOfKey{each.Key, each.Value, made, after.revision, each.Lease}
		changes = true
	}
	if !changes {
		return space
	}
	return after
}

type get struct {
	Key   string
	Entry *entryOfKey
}

func (a get) apply(space keySpace) (keySpace, bool) {
	entry, is := space.entries[a.Key]
	return space, is == (a.Entry != nil) && (!is || entry.same(*a.Entry))
}

type list struct {
	Prefix   string
	Revision int
	Entries  []entryOfKey
}

func (a list) apply(space keySpace) (keySpace, bool) {
	var inside []entryOfKey
	for _, key := range slices.Sorted(maps.Keys(space.entries)) {
		if strings.HasPrefix(key, a.Prefix) {
			inside = append(inside, space.entries[key])
		}
	}
	return space, space.revision == a.Revision && slices.EqualFunc(inside, a.Entries, entryOfKey.same)
}

type revoke struct{ Lease string }

func (a revoke) apply(space keySpace) (keySpace, bool) {
	after := keySpace{space.revision + 1, maps.Clone(space.entries)}
	maps.DeleteFunc(after.entries, func(_ string, entry entryOfKey) bool {
		return entry.lease() == a.Lease
	})
	if len(after.entries) == len(space.entries) {
		return space, true
	}
	return after, true
}

func (a transact) unanswered() act {
	a.Succeeded = nil
	return a
}
func (a get) unanswered() act    { return nil }
func (a list) unanswered() act   { return nil }
func (a revoke) unanswered() act { return a }

func (a transact) describe() string {
	return fmt.Sprintf("%d operations when %d hold: revision %d", len(a.Then), len(a.When), a.Revision)
}
func (a get) describe() string    { return fmt.Sprintf("get %s: %v", a.Key, a.Entry) }
func (a list) describe() string   { return fmt.Sprintf("list %s at %d", a.Prefix, a.Revision) }
func (a revoke) describe() string { return "revoke " + a.Lease }
