package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
)

const blockSize = 512

// entry is a header and its data, with nothing checked. Empty fields get what an honest writer would put there.
type entry struct {
	name, link, prefix string
	kind               byte
	mode               int64
	data               string
	// raw fields, written as they are
	size, rawMode, mtime, magic string
	// changes to the finished block, checksum excepted
	change   func(block []byte)
	checksum string
	noPad    bool
}

func file0(name, data string) entry { return entry{name: name, kind: '0', mode: 0o644, data: data} }

func octal(n int64, width int) string { return fmt.Sprintf("%0*o\x00", width-1, n) }

func (e entry) bytes() []byte {
	block := make([]byte, blockSize)
	copy(block[0:100], e.name)
	mode := e.rawMode
	if mode == "" {
		mode = octal(e.mode, 8)
	}
	copy(block[100:108], mode)
	copy(block[108:116], octal(0, 8))
	copy(block[116:124], octal(0, 8))
	size := e.size
	if size == "" {
		size = octal(int64(len(e.data)), 12)
	}
	copy(block[124:136], size)
	mtime := e.mtime
	if mtime == "" {
		mtime = octal(0, 12)
	}
	copy(block[136:148], mtime)
	block[156] = e.kind
	copy(block[157:257], e.link)
	switch e.magic {
	case "":
		copy(block[257:265], "ustar\x0000")
	case "v7":
	default:
		copy(block[257:265], e.magic)
	}
	copy(block[345:500], e.prefix)
	if e.change != nil {
		e.change(block)
	}
	sum(block)
	copy(block[148:156], e.checksum)
	out := append(block, e.data...)
	if !e.noPad {
		out = append(out, make([]byte, (blockSize-len(e.data)%blockSize)%blockSize)...)
	}
	return out
}

// sum writes the checksum.
func sum(block []byte) {
	copy(block[148:156], "        ")
	total := 0
	for _, b := range block[:blockSize] {
		total += int(b)
	}
	copy(block[148:156], fmt.Sprintf("%06o\x00 ", total))
}

func archive(entries ...entry) []byte { return append(open(entries...), make([]byte, 2*blockSize)...) }

// open has no blocks of zeros at its end.
func open(entries ...entry) []byte {
	var out []byte
	for _, e := range entries {
		out = append(out, e.bytes()...)
	}
	return out
}

func compress(archive []byte) []byte { return compressAt(archive, gzip.BestCompression) }

func compressAt(archive []byte, level int) []byte {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, level)
	if err != nil {
		panic(err)
	}
	if _, err := w.Write(archive); err != nil {
		panic(err)
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return out.Bytes()
}

func pax(records ...string) entry {
	data := ""
	for i := 0; i+1 < len(records); i += 2 {
		data += record(records[i], records[i+1])
	}
	return entry{name: "PaxHeaders/x", kind: 'x', mode: 0o644, data: data}
}

func record(key, value string) string {
	body := " " + key + "=" + value + "\n"
	size := len(body)
	for len(fmt.Sprint(size))+len(body) != size {
		size++
	}
	return fmt.Sprint(size) + body
}

func long(kind byte, name string) entry {
	return entry{name: "././@LongLink", kind: kind, mode: 0o644, data: name, magic: "ustar  \x00"}
}

// oldSparse is a sparse file of the old GNU format: pairs of offset and length, and the real size.
func oldSparse(name, data string, size int64, extended bool, pairs ...int64) entry {
	e := file0(name, data)
	e.kind, e.magic = 'S', "ustar  \x00"
	e.change = func(block []byte) {
		for i := 0; i < len(pairs) && i < 8; i += 2 {
			copy(block[386+12*i:], octal(pairs[i], 12))
			copy(block[398+12*i:], octal(pairs[i+1], 12))
		}
		if extended {
			block[482] = 1
		}
		copy(block[483:495], octal(size, 12))
	}
	return e
}
