package main

import "bytes"

// news is what was told of a kubelet that ran: the text of each field, or of its members. An observation tells only what reads otherwise.
type news struct {
	fields  map[string][]byte
	members map[string]map[string][]byte
}

func newNews() *news {
	return &news{fields: map[string][]byte{}, members: map[string]map[string][]byte{}}
}

// field writes a field of an observation after others, unless it reads as it was last told.
func (k *news) field(w *writer, name string, value func()) {
	start := len(w.text)
	w.name(name)
	from := len(w.text)
	value()
	text := w.text[from:]
	if before, told := k.fields[name]; told && bytes.Equal(before, text) {
		w.text = w.text[:start]
		return
	}
	k.fields[name] = text
}

// object writes those members of a field that read otherwise than they were last told, and null for those that are gone.
func (k *news) object(w *writer, field string, names []string, value func(name string)) {
	before, told := k.members[field]
	now := make(map[string][]byte, len(names))
	start := len(w.text)
	w.name(field)
	w.raw(`{`)
	empty := len(w.text)
	for _, name := range names {
		at := len(w.text)
		if at > empty {
			w.raw(`,`)
		}
		w.string(name)
		w.raw(`:`)
		from := len(w.text)
		value(name)
		text := w.text[from:]
		if old, there := before[name]; there && bytes.Equal(old, text) {
			w.text, text = w.text[:at], old
		}
		now[name] = text
	}
	if len(before) > 0 {
		k.gone(w, sortedKeys(before), now, empty)
	}
	k.members[field] = now
	if told && len(w.text) == empty {
		w.text = w.text[:start]
		return
	}
	w.raw(`}`)
}

func (k *news) gone(w *writer, before []string, now map[string][]byte, empty int) {
	for _, name := range before {
		if _, there := now[name]; there {
			continue
		}
		if len(w.text) > empty {
			w.raw(`,`)
		}
		w.string(name)
		w.raw(`:null`)
	}
}
