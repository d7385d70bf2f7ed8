package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
)

var names = []string{
	"a", "b", "a/b", "a/b/c", "./a", "d/", "d/e", "x.yaml", "..", "a/..", "/abs", "a\\b", "", "\xff", "a/../b", "b/.", "é",
}

// random is a layer made by chance, and in most cases damaged.
func random(chance *rand.Rand, name string) layer {
	pick := func(of ...string) string { return of[chance.IntN(len(of))] }
	var made []byte
	for range 1 + chance.IntN(6) {
		made = append(made, some(chance, pick)...)
	}
	switch chance.IntN(6) {
	case 0:
	case 1:
		made = append(made, make([]byte, 512)...)
	case 2:
		made = append(made, make([]byte, chance.IntN(2048))...)
	default:
		made = append(made, make([]byte, 1024+512*chance.IntN(20))...)
	}
	if chance.IntN(3) == 0 {
		damage(chance, made)
	}
	if chance.IntN(8) == 0 {
		made = made[:chance.IntN(len(made)+1)]
	}
	level := []int{-1, -2, 0, 1, 9}[chance.IntN(5)]
	var packed []byte
	for len(made) > 0 && chance.IntN(4) == 0 {
		at := chance.IntN(len(made) + 1)
		packed = append(packed, compressAt(made[:at], level)...)
		made = made[at:]
	}
	packed = append(packed, compressAt(made, level)...)
	switch chance.IntN(6) {
	case 0:
		packed = packed[:chance.IntN(len(packed)+1)]
	case 1:
		packed[chance.IntN(len(packed))] ^= 1 << chance.IntN(8)
	case 2:
		packed = append(packed, strings.Repeat("x", chance.IntN(20))...)
	}
	return layer{Name: name, Layer: packed}
}

// broken is a sound archive whose compressed bytes are damaged.
func broken(chance *rand.Rand, name string) layer {
	var made []byte
	for i := range 1 + chance.IntN(4) {
		made = append(made, file0(fmt.Sprintf("f%d", i), letters(chance)).bytes()...)
	}
	made = append(made, make([]byte, 512*chance.IntN(24))...)
	packed := compressAt(made, []int{-1, -2, 0, 1, 9}[chance.IntN(5)])
	if chance.IntN(2) == 0 {
		return layer{Name: name, Layer: packed[:chance.IntN(len(packed)+1)]}
	}
	for range 1 + chance.IntN(2) {
		packed[chance.IntN(len(packed))] ^= byte(1 + chance.IntN(255))
	}
	return layer{Name: name, Layer: packed}
}

// some are one entry and the headers that belong to it.
func some(chance *rand.Rand, pick func(...string) string) []byte {
	made := file0(names[chance.IntN(len(names))], letters(chance))
	if chance.IntN(3) > 0 {
		made.name = fmt.Sprintf("f%d", chance.IntN(8))
	}
	made.mode = []int64{0o644, 0o644, 0o755, 0, 0o4755, 0o040755, 0o100644, 0o120777, 0o010644}[chance.IntN(9)]
	made.magic = pick("", "", "v7", "ustar  \x00")
	switch chance.IntN(12) {
	case 0:
		made.kind, made.data, made.link = '1', "", "a"
	case 1:
		made.kind, made.data, made.link = '2', "", "a"
	case 2:
		made.kind, made.data = '5', ""
	case 3:
		made.kind = []byte("34567ZVx\x00g")[chance.IntN(10)]
	}
	switch chance.IntN(10) {
	case 0:
		return open(pax(pick("path", "size", "mtime", "comment", "linkpath", "uid"), pick("x", "y/z", "3", "-1", "", "1.5", "a\x00b")), made)
	case 1:
		return open(long("LK"[chance.IntN(2)], pick("x\x00", "y/z", "\x00", strings.Repeat("n/", 60))), made)
	case 2:
		size, offset, length := chance.Int64N(64), chance.Int64N(32), chance.Int64N(16)
		return open(oldSparse("sparse", strings.Repeat("s", int(length)+chance.IntN(5)/4), offset+length+size, false, offset, length))
	case 3:
		offset, length := chance.Int64N(32), chance.Int64N(16)
		records := pax("GNU.sparse.major", pick("0", "1", "1", "2"), "GNU.sparse.minor", pick("0", "1"), "GNU.sparse.realsize", pick("48", "60"),
			"GNU.sparse.numblocks", "1", "GNU.sparse.map", fmt.Sprintf("%d,%d", offset, length))
		data := pick("", pad(fmt.Sprintf("1\n%d\n%d\n", offset, length))) + strings.Repeat("s", int(length))
		return open(records, file0("pax-sparse", data))
	}
	return made.bytes()
}

func letters(chance *rand.Rand) string {
	length := []int{0, 1, 5, 511, 512, 513, 1024, 40000, 32768 - 512}[chance.IntN(9)]
	var out bytes.Buffer
	for out.Len() < length {
		fmt.Fprintf(&out, "%x-", chance.IntN(1<<chance.IntN(16)))
	}
	return out.String()[:length]
}

// damage changes some bytes, in headers above all, and repairs some checksums.
func damage(chance *rand.Rand, archive []byte) {
	for range 1 + chance.IntN(3) {
		at := chance.IntN(len(archive))
		if chance.IntN(2) == 0 {
			at = at / blockSize * blockSize
			at += []int{0, 100, 124 + chance.IntN(12), 156, 157, 257, 263, 345, 386, 482, 508}[chance.IntN(11)]
		}
		if at >= len(archive) {
			continue
		}
		archive[at] = byte(chance.IntN(256))
		if block := at / blockSize * blockSize; chance.IntN(3) > 0 && block+blockSize <= len(archive) {
			sum(archive[block : block+blockSize])
		}
	}
}
