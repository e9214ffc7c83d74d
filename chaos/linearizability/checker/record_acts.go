package main

import "fmt"

// A recordAct is legal in some states, and says what is then.
type recordAct interface {
	act
	apply(before record) (after record, legal bool)
}

func decodeRecordAct(kind string, text []byte) (act, error) {
	var read struct {
		Kind        string
		Version     nullable[int]
		LastVersion nullable[int]
		N, To       int
		From        nullable[int]
		Why         string
		Broker      string
		Found       nullable[found]
	}
	if err := strictly(text, &read); err != nil {
		return nil, err
	}
	version, known := read.Version.get()
	switch kind {
	case "allocate":
		return allocate{version, known}, required(map[string]bool{"version": read.Version.given})
	case "rollback":
		return rollback{version}, required(map[string]bool{"version": read.Version.given})
	case "release":
		return release{}, nil
	case "delete":
		last, known := read.LastVersion.get()
		return remove{last, known}, required(map[string]bool{"lastVersion": read.LastVersion.given})
	case "promote":
		given := map[string]bool{
			"n": read.N > 0, "from": read.From.given, "to": read.To > 0,
			"why": read.Why == "fit" || read.Why == "rollback",
		}
		return promote{read.N, read.From.or(0), read.To, read.Why == "rollback"}, required(given)
	case "serves":
		given := map[string]bool{"broker": read.Broker != "", "version": known}
		return serves{brokerNumber(read.Broker), read.Broker, version}, required(given)
	case "look":
		given := map[string]bool{"broker": read.Broker != "", "found": read.Found.given}
		return look{brokerNumber(read.Broker), read.Broker, read.Found.value}, required(given)
	case "read":
		return readAll{read.Found.value}, required(map[string]bool{"found": read.Found.given})
	}
	return nil, fmt.Errorf("unknown kind of act: %q", kind)
}

// What was found of a record; a look through a broker tells serving and changes only.
type found struct {
	Serving, Target, Previous nullable[int]
	High                      *int
	Changes                   int
	Hold                      bool
}

var brokerNumbers = map[string]int{}

func brokerNumber(name string) int {
	number, known := brokerNumbers[name]
	if !known {
		number = len(brokerNumbers)
		brokerNumbers[name] = number
	}
	return number
}

type allocate struct {
	version int
	known   bool
}

func (a allocate) apply(r record) (record, bool) {
	if !a.known {
		// Some number was taken. Which one is seen when it serves.
		if !r.exists {
			r = r.born(r.last)
		}
		r.unknown = true
		return r, true
	}
	if a.version <= r.last {
		return r, false
	}
	if !r.exists {
		r = r.born(a.version - 1)
	}
	r.last = a.version
	return r, true
}

type rollback struct{ version int }

func (a rollback) apply(r record) (record, bool) {
	to := a.version
	if to == 0 {
		to = r.previous
	}
	r, legal := r.holding(to)
	r.target, r.hold, r.byRollback = to, true, true
	return r, legal
}

type release struct{}

func (release) apply(r record) (record, bool) {
	r.hold = false
	return r, r.exists
}

type remove struct {
	last  int
	known bool
}

func (a remove) apply(r record) (record, bool) {
	if !r.exists || (a.known && a.last < r.last) {
		return r, false
	}
	r = r.changed(0)
	r.exists, r.hold, r.target, r.previous = false, false, 0, 0
	r.last = max(r.last, a.last)
	return r, true
}

type promote struct {
	n, from, to int
	byRollback  bool
}

func (a promote) apply(r record) (record, bool) {
	r, legal := r.holding(a.to)
	if !legal || a.n != r.changes()+1 || a.from != r.serving || a.to == r.serving {
		return r, false
	}
	isTarget := r.target == a.to && r.byRollback == a.byRollback
	if !isTarget {
		// Brokers set a target of their own accord: a newer one than ever, unless there is a hold.
		if a.byRollback || r.hold || a.to <= r.high {
			return r, false
		}
		r.high, r.byRollback = a.to, false
	}
	if r.serving != 0 {
		r.previous = r.serving
	}
	r.target = a.to
	return r.changed(a.to), true
}

type serves struct {
	broker  int
	name    string
	version int
}

func (a serves) apply(r record) (record, bool) {
	// The earliest place in the log that it can have forbids least of what comes after.
	for n := r.shown(a.broker); n <= r.changes(); n++ {
		if r.servedAt(n) == a.version {
			return r.shownBy(a.broker, n), true
		}
	}
	return r, false
}

type look struct {
	broker int
	name   string
	found  *found
}

func (a look) apply(r record) (record, bool) {
	if a.found == nil {
		// A broker denies nothing before it has asked the coordinator.
		return r, !r.exists
	}
	n := a.found.Changes
	if n < r.shown(a.broker) || n > r.changes() || r.servedAt(n) != a.found.Serving.or(0) {
		return r, false
	}
	return r.shownBy(a.broker, n), r.exists || n < r.changes()
}

type readAll struct{ found *found }

func (a readAll) apply(r record) (record, bool) {
	if a.found == nil {
		return r, !r.exists
	}
	target := a.found.Target.or(0)
	same := r.exists && a.found.Serving.or(0) == r.serving && a.found.Hold == r.hold &&
		(!a.found.Previous.given || a.found.Previous.or(0) == r.previous) &&
		a.found.Changes == r.changes()
	switch {
	case !same:
		return r, false
	case target == r.target:
	case target == r.serving:
		// It was given up.
	case !r.hold && target > r.high:
		r.byRollback, r.high = false, target
	default:
		return r, false
	}
	r.target = target
	if a.found.High == nil {
		return r, true
	}
	high := *a.found.High
	legal := high >= r.high
	r.high = high
	return r, legal
}

func (a allocate) unanswered() act { return allocate{} }
func (a rollback) unanswered() act { return a }
func (a release) unanswered() act  { return a }
func (a remove) unanswered() act   { return remove{} }
func (a promote) unanswered() act  { return a }
func (a serves) unanswered() act   { return nil }
func (a look) unanswered() act     { return nil }
func (a readAll) unanswered() act  { return nil }

func (a allocate) describe() string {
	if !a.known {
		return "allocate → ?"
	}
	return fmt.Sprintf("allocate → %d", a.version)
}
func (a rollback) describe() string { return fmt.Sprintf("rollback to %d", a.version) }
func (a release) describe() string  { return "release" }
func (a remove) describe() string   { return fmt.Sprintf("delete (last %d)", a.last) }
func (a promote) describe() string {
	return fmt.Sprintf("promotion %d: %d after %d (rollback: %t)", a.n, a.to, a.from, a.byRollback)
}
func (a serves) describe() string {
	return fmt.Sprintf("%s: %d serves", a.name, a.version)
}
func (a look) describe() string {
	if a.found == nil {
		return fmt.Sprintf("%s: not there", a.name)
	}
	return fmt.Sprintf("%s: %d serves after %d changes", a.name, a.found.Serving.or(0), a.found.Changes)
}
func (a readAll) describe() string {
	if a.found == nil {
		return "read: not there"
	}
	return fmt.Sprintf("read: serving %d target %d hold %t changes %d",
		a.found.Serving.or(0), a.found.Target.or(0), a.found.Hold, a.found.Changes)
}
