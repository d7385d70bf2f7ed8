package main

import (
	"bytes"
	"strings"
)

// named is every odd layer that somebody thought of.
func named() []layer {
	var all []layer
	raw := func(name string, bytes []byte) { all = append(all, layer{Name: name, Layer: bytes}) }
	add := func(name string, entries ...entry) { raw(name, compress(archive(entries...))) }
	a, b := file0("a.yaml", "a"), file0("b.yaml", "b")

	// names
	add("plain", a, file0("dir/b.yaml", "b"))
	add("dot-slash", file0("./a.yaml", "a"), file0("x/./y//z", "z"))
	add("absolute", a, file0("/etc/e", "e"), b)
	add("dot-dot", file0("x/../../e", "e"))
	add("dot-dot-inside", file0("x/../e", "e"))
	add("dot-dot-in-a-name", file0("x../e", "e"))
	add("dot-dot-at-the-end", file0("x/..", "e"))
	add("dot-dot-alone", file0("..", "e"))
	add("dot-dot-folders", entry{name: "..", kind: '5', mode: 0o755}, entry{name: "x/..", kind: '5', mode: 0o755}, a)
	add("dot", file0(".", "e"))
	add("backslash", file0(`a\b`, "e"))
	add("empty-name", file0("", "e"))
	add("name-of-blanks", file0(" ", "e"))
	add("trailing-slash-file", file0("a/", "e"))
	add("trailing-slash-old-file", entry{name: "a/", kind: 0, mode: 0o755}, entry{name: "a/b", kind: 0, mode: 0o644, data: "b"})
	add("not-utf8", file0("\xff\xfe.yaml", "a"))
	add("not-utf8-refused", file0("/\xff\x01\u202e\"'", "a"))
	add("unicode", file0("größe/東京.yaml", "a"))
	add("control-characters", file0("a\x1b[2J\n.yaml", "a"))
	add("nul-in-name", file0("a\x00b", "a"))
	add("full-name-field", file0(strings.Repeat("n", 100), "a"))
	add("prefix", entry{name: "b", prefix: "a", kind: '0', mode: 0o644, data: "b"})
	add("long-part", pax("path", strings.Repeat("n", 256)), a)
	add("long-part-that-fits", pax("path", strings.Repeat("n", 255)), a)
	add("long-part-of-a-folder", pax("path", strings.Repeat("n", 256)+"/b"), a)

	// kinds
	add("folder", entry{name: "d/", kind: '5', mode: 0o755}, entry{name: "e", kind: '5', mode: 0}, file0("e/f", "f"))
	add("folder-with-data", entry{name: "d", kind: '5', mode: 0o755, data: "xx", noPad: true}, a)
	add("symlink", entry{name: "s", link: "/etc/passwd", kind: '2', mode: 0o777}, a)
	add("through-a-symlink", entry{name: "s", link: "/etc", kind: '2', mode: 0o777}, file0("s/passwd", "x"))
	add("hard-link", a, entry{name: "h.yaml", link: "a.yaml", kind: '1', mode: 0o644})
	add("hard-link-over-its-target", a, entry{name: "a.yaml", link: "a.yaml", kind: '1', mode: 0o644})
	add("hard-link-with-a-size", a, entry{name: "h.yaml", link: "a.yaml", kind: '1', mode: 0o644, size: octal(1, 12)}, b)
	add("fifo", a, entry{name: "f", kind: '6', mode: 0o644})
	add("fifo-with-bits", entry{name: "f", kind: '6', mode: 0o7755})
	add("character-device", entry{name: "c", kind: '3', mode: 0o600})
	add("block-device", entry{name: "c", kind: '4', mode: 0o666})
	add("contiguous", entry{name: "c", kind: '7', mode: 0o644, data: "c"})
	add("unknown-kind", entry{name: "c", kind: 'Z', mode: 0o644, data: "c"})
	add("volume-label", entry{name: "label", kind: 'V', mode: 0o644}, a)
	add("folder-by-mode", entry{name: "d", kind: '0', mode: 0o040755, data: "xx"}, a)
	add("symlink-by-mode", entry{name: "d", kind: '0', mode: 0o120777, data: "xx"}, a)
	add("socket-by-mode", entry{name: "d", kind: '0', mode: 0o140755})
	add("fifo-by-mode", entry{name: "d", kind: '0', mode: 0o010644})
	add("regular-by-mode", entry{name: "d", kind: '0', mode: 0o100755, data: "x"})
	add("modes", entry{name: "x", kind: '0', mode: 0o755}, entry{name: "o", kind: '0', mode: 0o001}, entry{name: "n", kind: '0', mode: 0}, entry{name: "u", kind: '0', mode: 0o4644})
	add("global-header", entry{name: "pax_global_header", kind: 'g', mode: 0o666, data: record("comment", "0123")}, a)
	add("global-header-with-a-path", entry{name: "g", kind: 'g', data: record("path", "other")}, a)
	add("global-header-that-is-wrong", entry{name: "g", kind: 'g', data: "7 a=b"}, a)

	// one name, several entries
	add("duplicate", file0("a", "1"), file0("./a", "22"))
	add("duplicate-mode", entry{name: "a", kind: '0', mode: 0o755, data: "1"}, file0("a", "22"))
	add("file-over-folder", file0("d/a", "1"), file0("d", "2"))
	add("folder-over-file", file0("d", "1"), entry{name: "d", kind: '5', mode: 0o755})
	add("file-below-file", file0("d", "1"), file0("d/a/b", "2"))
	add("folder-twice", entry{name: "d", kind: '5', mode: 0o755}, entry{name: "d/", kind: '5', mode: 0o700}, file0("d/a", "1"))

	// extended headers
	add("pax-path", pax("path", "long/name", "mtime", "1.5", "uid", "7"), a)
	add("pax-empty-path", pax("path", ""), a)
	add("pax-nul-path", pax("path", "a\x00b"), a)
	add("pax-size", pax("size", "3"), entry{name: "a", kind: '0', mode: 0o644, size: octal(0, 12), data: "abc"})
	add("pax-size-negative", pax("size", "-1"), a)
	add("pax-size-wrong", pax("size", "x"), a)
	add("pax-size-of-a-symlink", pax("size", "512"), entry{name: "s", link: "x", kind: '2', mode: 0o777}, a)
	add("pax-size-signed", pax("size", "+1"), a)
	add("pax-uid-wrong", pax("uid", "1e3"), a)
	add("pax-mtime-wrong", pax("mtime", "1.x"), a)
	add("pax-mtime-negative", pax("mtime", "-1.999999999999", "atime", "5."), a)
	add("pax-twice", pax("path", "first"), pax("mtime", "1"), a)
	add("pax-record-twice", pax("path", "first", "path", "second"), a)
	add("pax-without-newline", entry{name: "x", kind: 'x', data: "9 path=ab"}, a)
	add("pax-without-equals", entry{name: "x", kind: 'x', data: "9 pathab\n"}, a)
	add("pax-short-length", entry{name: "x", kind: 'x', data: "4 a=b\n"}, a)
	add("pax-long-length", entry{name: "x", kind: 'x', data: "99 a=b\n"}, a)
	add("pax-without-length", entry{name: "x", kind: 'x', data: " a=b\n"}, a)
	add("pax-empty", entry{name: "x", kind: 'x'}, a)
	add("pax-nul-key", pax("a\x00", "b"), a)
	add("pax-nul-value", pax("comment", "a\x00b"), a)
	add("pax-at-the-end", a, pax("path", "nobody"))
	add("pax-of-a-mebibyte", pax("comment", strings.Repeat("c", 1<<20-17)), a)
	add("pax-of-more", pax("comment", strings.Repeat("c", 1<<20)), a)
	add("gnu-long-name", long('L', strings.Repeat("n/", 70)+"a\x00"), a)
	add("gnu-long-name-empty", long('L', "\x00"), a)
	add("gnu-long-link", long('K', strings.Repeat("n", 120)+"\x00"), entry{name: "s", link: "x", kind: '2'}, a)
	add("gnu-long-name-and-pax", long('L', "gnu\x00"), pax("path", "pax"), a)
	add("gnu-long-name-before-global", long('L', "gnu\x00"), entry{name: "g", kind: 'g'}, a)
	add("gnu-long-name-over-a-folder", long('L', "gnu/\x00"), entry{name: "x", kind: 0, data: ""}, a)
	add("long-size-of-extended", entry{name: "x", kind: 'x', size: octal(1<<30, 12)})

	// numbers and checksums
	add("base256-size", entry{name: "a", kind: '0', mode: 0o644, size: "\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x03", data: "abc"})
	add("base256-negative", entry{name: "a", kind: '0', mode: 0o644, size: strings.Repeat("\xff", 12), data: ""})
	add("base256-overflow", entry{name: "a", kind: '0', mode: 0o644, size: "\x80" + strings.Repeat("\x7f", 11), data: ""})
	add("size-with-blanks", entry{name: "a", kind: '0', mode: 0o644, size: "         3 \x00", data: "abc"})
	add("size-empty", entry{name: "a", kind: '0', mode: 0o644, size: strings.Repeat("\x00", 12)}, b)
	add("size-not-octal", entry{name: "a", kind: '0', mode: 0o644, size: "00000000009\x00"})
	add("size-with-nul-inside", entry{name: "a", kind: '0', mode: 0o644, size: "3\x00777777777\x00", data: "abc"})
	add("mode-not-octal", entry{name: "a", kind: '0', rawMode: "rw-r--r-", data: "abc"})
	add("mtime-not-octal", entry{name: "a", kind: '0', mtime: "yesterday...", data: "abc"})
	add("mtime-far", entry{name: "a", kind: '0', mode: 0o644, mtime: "777777777777", data: "abc"})
	add("device-not-octal", entry{name: "a", kind: '0', change: func(block []byte) { block[330] = 'x' }})
	add("device-not-octal-v7", entry{name: "a", kind: '0', mode: 0o644, magic: "v7", change: func(block []byte) { block[330] = 'x' }})
	add("checksum-wrong", a, entry{name: "b", kind: '0', checksum: "000001\x00 "})
	add("checksum-not-octal", entry{name: "b", kind: '0', checksum: "xyz\x00    "})
	signed := file0("\xe4.yaml", "a")
	signed.change = func(block []byte) {}
	add("v7", entry{name: "a", kind: 0, mode: 0o644, magic: "v7", data: "a", prefix: "ignored"})
	add("gnu-with-a-prefix", entry{name: "a", kind: '0', mode: 0o644, magic: "ustar  \x00", data: "a", prefix: "some/prefix"})
	add("gnu-with-times", entry{name: "a", kind: '0', mode: 0o644, magic: "ustar  \x00", data: "a", prefix: octal(7, 12) + octal(8, 12)})
	add("gnu-magic-without-version", entry{name: "a", kind: '0', mode: 0o644, magic: "ustar ", data: "a", prefix: "ignored"})
	add("star", entry{name: "a", kind: '0', mode: 0o644, data: "a", prefix: "p", change: func(block []byte) { copy(block[508:], "tar\x00") }})
	add("star-with-wrong-times", entry{name: "a", kind: '0', mode: 0o644, data: "a", change: func(block []byte) { copy(block[476:], "x"); copy(block[508:], "tar\x00") }})
	raw("checksum-signed", compress(signedSum(archive(signed))))

	// sparse files
	add("sparse-old", oldSparse("s", "abc", 10, false, 2, 3), b)
	add("sparse-old-empty-map", oldSparse("s", "", 10, false), b)
	add("sparse-old-extended", extendedSparse(), b)
	add("sparse-old-missing-data", oldSparse("s", "ab", 10, false, 2, 3), b)
	add("sparse-old-too-much-data", oldSparse("s", "abcd", 10, false, 2, 3), b)
	add("sparse-old-beyond", oldSparse("s", "abc", 4, false, 2, 3), b)
	add("sparse-old-overlap", oldSparse("s", "abcdef", 10, false, 0, 4, 2, 2), b)
	add("sparse-old-no-gnu", entry{name: "s", kind: 'S', mode: 0o644, data: "abc"})
	add("sparse-0.0", pax("GNU.sparse.size", "10", "GNU.sparse.numblocks", "2", "GNU.sparse.offset", "1", "GNU.sparse.numbytes", "2", "GNU.sparse.offset", "8", "GNU.sparse.numbytes", "1"), file0("s", "abc"), b)
	add("sparse-0.0-order", pax("GNU.sparse.size", "10", "GNU.sparse.numblocks", "1", "GNU.sparse.numbytes", "2", "GNU.sparse.offset", "1"), file0("s", "ab"), b)
	add("sparse-0.1", pax("GNU.sparse.major", "0", "GNU.sparse.minor", "1", "GNU.sparse.name", "named", "GNU.sparse.size", "10", "GNU.sparse.numblocks", "1", "GNU.sparse.map", "4,3"), file0("s", "abc"), b)
	add("sparse-0.1-count", pax("GNU.sparse.size", "10", "GNU.sparse.numblocks", "2", "GNU.sparse.map", "4,3"), file0("s", "abc"), b)
	add("sparse-0.1-no-map", pax("GNU.sparse.major", "0", "GNU.sparse.minor", "1", "GNU.sparse.size", "10", "GNU.sparse.numblocks", "0"), file0("s", ""), b)
	add("sparse-1.0", pax("GNU.sparse.major", "1", "GNU.sparse.minor", "0", "GNU.sparse.name", "named", "GNU.sparse.realsize", "10"), file0("s", pad("1\n4\n3\n")+"abc"), b)
	add("sparse-1.0-twice-a-newline", pax("GNU.sparse.major", "1", "GNU.sparse.minor", "0", "GNU.sparse.realsize", "10"), file0("s", pad("\n4\n3\n")+"abc"), b)
	add("sparse-1.0-short", pax("GNU.sparse.major", "1", "GNU.sparse.minor", "0", "GNU.sparse.realsize", "10"), file0("s", "1\n4\n3\n"), b)
	add("sparse-1.0-count", pax("GNU.sparse.major", "1", "GNU.sparse.minor", "0", "GNU.sparse.realsize", "10"), file0("s", pad("9\n4\n3\n")+"abc"), b)
	add("sparse-2.0", pax("GNU.sparse.major", "2", "GNU.sparse.minor", "0", "GNU.sparse.realsize", "10"), file0("s", "abc"), b)
	add("sparse-symlink", pax("GNU.sparse.major", "0", "GNU.sparse.minor", "1", "GNU.sparse.numblocks", "0", "GNU.sparse.size", "0"), entry{name: "s", link: "x", kind: '2'}, b)

	// ends
	whole := archive(a, b)
	raw("no-zero-blocks", compress(open(a, b)))
	raw("one-zero-block", compress(append(open(a, b), make([]byte, 512)...)))
	raw("one-zero-block-then-more", compress(bytes.Join([][]byte{open(a), make([]byte, 512), archive(b)}, nil)))
	raw("two-zero-blocks-then-more", compress(append(archive(a), archive(b)...)))
	raw("half-a-zero-block", compress(append(open(a), make([]byte, 256)...)))
	raw("one-and-a-half-zero-blocks", compress(append(open(a), make([]byte, 768)...)))
	raw("no-padding-at-the-end", compress(open(a)[:513]))
	raw("half-a-header", compress(whole[:700+512]))
	raw("half-a-file", compress(open(file0("a", strings.Repeat("a", 600)))[:800]))
	raw("half-of-what-is-skipped", compress(open(entry{name: "d", kind: '0', mode: 0o040755, data: strings.Repeat("a", 600)})[:800]))
	raw("half-of-an-extended-header", compress(open(pax("path", strings.Repeat("a", 600)))[:800]))
	raw("empty-archive", compress(nil))
	raw("only-zero-blocks", compress(make([]byte, 10240)))

	gzips(raw, whole)
	ignores(&all)
	return all
}

// gzips are layers whose archive is sound and whose compression is odd.
func gzips(raw func(string, []byte), whole []byte) {
	packed := compress(whole)
	with := func(flags byte, extra string) []byte {
		return append(append([]byte{0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 3}, extra...), packed[10:]...)
	}
	cut := func(from []byte, less int) []byte { return from[:len(from)-less] }
	changed := func(from []byte, at int, to byte) []byte {
		out := bytes.Clone(from)
		out[(at+len(out))%len(out)] ^= to
		return out
	}
	half := len(whole) / 2
	raw("no-bytes", nil)
	raw("no-gzip", whole)
	raw("no-gzip-short", []byte("short"))
	raw("gzip-header-only", packed[:10])
	raw("gzip-of-another-method", changed(packed, 2, 1))
	raw("gzip-name-and-comment", with(8|16, "name\x00comment\x00"))
	raw("gzip-extra", with(4, "\x03\x00abc"))
	raw("gzip-extra-cut", with(4, "\xff\xff")[:20])
	raw("gzip-header-checksum-wrong", with(2, "xx"))
	raw("gzip-long-name", with(8, strings.Repeat("n", 512)+"\x00"))
	raw("gzip-long-name-that-fits", with(8, strings.Repeat("n", 511)+"\x00"))
	raw("gzip-reserved-flags", with(0xe0, ""))
	raw("gzip-two-members", append(compress(whole[:half]), compress(whole[half:])...))
	raw("gzip-many-members", members(whole, 100))
	raw("gzip-empty-members", bytes.Join([][]byte{compress(nil), compress(whole[:half]), compress(nil), compress(whole[half:])}, nil))
	raw("gzip-trailing-garbage", append(bytes.Clone(packed), "garbage, much of it"...))
	raw("gzip-trailing-zeros", append(bytes.Clone(packed), make([]byte, 100)...))
	raw("gzip-garbage-in-the-middle", append(append(compress(whole[:512]), "garbage, much of it"...), compress(whole[512:])...))
	raw("gzip-garbage-after-a-file", append(compress(whole[:1024]), "garbage, much of it"...))
	raw("gzip-garbage-short", append(compress(whole[:1024]), "xx"...))
	raw("gzip-checksum-wrong", changed(packed, -8, 1))
	raw("gzip-size-wrong", changed(packed, -1, 1))
	raw("gzip-checksum-wrong-no-zeros", changed(compress(whole[:2048]), -8, 1))
	full := open(file0("a", strings.Repeat("a", 512)))
	raw("gzip-checksum-wrong-after-data", changed(compress(full), -8, 1))
	raw("gzip-checksum-wrong-after-padding", changed(compress(full), -8, 1))
	window := open(file0("a", strings.Repeat("abcdefgh", (32768-512)/8)))
	raw("gzip-checksum-wrong-at-the-window", changed(compress(window), -8, 1))
	raw("gzip-without-trailer", cut(packed, 8))
	raw("gzip-without-end", cut(packed, 10))
	stored := compressAt(whole, 0)
	raw("gzip-stored", stored)
	raw("gzip-stored-cut", stored[:len(stored)-700])
	raw("gzip-stored-cut-in-the-zeros", stored[:len(stored)-100])
	raw("gzip-stored-length-wrong", changed(stored, 12, 0xff))
	for _, at := range []int{10, 11, 12, 15, 20, 30, 40, 60} {
		raw("gzip-bit-changed-at-"+string(rune('0'+at/10))+string(rune('0'+at%10)), changed(packed, at, 4))
	}
	for _, length := range []int{5, 12, 30, 50, 70, 90} {
		raw("gzip-cut-at-"+string(rune('0'+length/10))+string(rune('0'+length%10)), packed[:length])
	}
	raw("zstd", []byte("\x28\xb5\x2f\xfd\x04\x00\x01\x00\x00\x99\xe9\xd8\x51"))
	raw("provenance", []byte("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\nname: chart\n"))
}

func members(whole []byte, size int) []byte {
	var out []byte
	for len(whole) > 0 {
		n := min(size, len(whole))
		out = append(out, compress(whole[:n])...)
		whole = whole[n:]
	}
	return out
}

// signedSum replaces the checksum of the first header by the one that Sun's tar wrote.
func signedSum(archive []byte) []byte {
	copy(archive[148:156], "        ")
	total := 0
	for _, b := range archive[:blockSize] {
		total += int(int8(b))
	}
	copy(archive[148:156], octal(int64(total), 8))
	return archive
}

func pad(text string) string { return text + strings.Repeat("\x00", blockSize-len(text)) }

func extendedSparse() entry {
	e := oldSparse("s", "", 100, true, 0, 1, 2, 1, 4, 1, 6, 1)
	more := make([]byte, blockSize)
	copy(more, octal(8, 12)+octal(2, 12))
	// the block of the map stands before the data and is not counted in the size
	e.data = string(more) + "abcdef"
	e.size = octal(6, 12)
	return e
}
