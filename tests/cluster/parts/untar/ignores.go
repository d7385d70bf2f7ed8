package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// ignores are folders with rules that somebody thought of.
func ignores(all *[]layer) {
	tree := []string{
		"README.md", "a.yaml", "b.png", ".gitignore", ".git/config", ".github/w.yaml", "docs/a.md", "docs/api/b.md",
		"deploy/a.yaml", "deploy/.flux.yaml", "deploy/x y", "deploy/x ", "charts/c.tar.gz", "src/docs/c.md", "#hash", "!bang", "deploy/.git/x",
	}
	add := func(name string, spec *string, rules map[string]string) {
		var entries []entry
		for _, path := range tree {
			entries = append(entries, file0(path, path))
		}
		for _, path := range []string{".sourceignore", "docs/.sourceignore", "deploy/.sourceignore", "deploy/.git/.sourceignore"} {
			if text, ok := rules[path]; ok {
				entries = append(entries, file0(path, text))
			}
		}
		*all = append(*all, layer{Name: "ignore-" + name, Layer: compress(archive(entries...)), Ignore: spec})
	}
	text := func(text string) *string { return &text }
	root := func(rules string) map[string]string { return map[string]string{".sourceignore": rules} }
	add("defaults", nil, nil)
	add("only-comments", text("# nothing\n\n   \n"), root("#\n"))
	add("spec", text("*.md\n"), nil)
	add("spec-empty", text(""), nil)
	add("spec-wins", text("!*.md\n"), root("*.md\n*.yaml\n"))
	add("all-but", nil, root("/*\n!/deploy\n"))
	add("all-but-a-file", nil, root("*\n!deploy/a.yaml\n"))
	add("folder", nil, root("docs/\n"))
	add("folder-at-the-root", nil, root("/docs/\n"))
	add("file-in-folder-kept", nil, root("docs\n!docs/a.md\n"))
	add("folder-is-no-file", nil, root("a.yaml/\n"))
	add("nested", nil, map[string]string{"docs/.sourceignore": "*.md\n/api\n", "deploy/.sourceignore": "a.yaml\n"})
	add("nested-keeps", nil, map[string]string{".sourceignore": "*.md\n", "docs/.sourceignore": "!a.md\n"})
	add("nested-in-git", nil, map[string]string{"deploy/.git/.sourceignore": "*\n"})
	add("stars", nil, root("**/api/**\nsrc/**\n"))
	add("stars-in-the-middle", nil, root("src/**/c.md\ndocs/**/b.md\n**/docs/a.md\n"))
	add("stars-in-a-name", nil, root("do**cs/a.md\na**l\n"))
	add("classes", nil, root("[ab].yaml\n[!a].png\n[^a].png\n[a-\n"))
	add("escapes", nil, root("\\#hash\n\\!bang\n\\*.md\na\\\n"))
	add("comments", nil, root("#hash\n #hash\n!bang\n"))
	add("trailing-blanks", nil, root("*.md   \ndeploy/x\\ \ndeploy/x y \n"))
	add("leading-blanks", nil, root("  *.md\n"))
	add("carriage-returns", nil, root("*.md\r\n*.png\r\n"))
	add("slash-only", nil, root("/\n!\n//\n"))
	add("keeps-vcs", nil, root("!.git/\n!.gitignore\n"))
	add("long-line", nil, root(strings.Repeat("x", 65536)+"\n*.md\n"))
	add("long-line-that-fits", nil, root(strings.Repeat("x", 65535)+"\n*.md\n"))
	add("no-newline-long", nil, root("*.md\n"+strings.Repeat("x", 65536)))
	add("ignores-itself", nil, root(".sourceignore\n*.md\n"))
	add("not-utf8", nil, root("\xff*\n[\xff]\n?.yaml\n"))
	*all = append(*all,
		layer{Name: "ignore-by-link", Layer: compress(archive(file0("x", "*\n"), entry{name: ".sourceignore", link: "x", kind: '1'}, file0("b.png", "")))},
		layer{Name: "ignore-twice", Layer: compress(archive(file0(".sourceignore", "*.md\n"), file0("a.md", ""), file0("b.png", ""), file0(".sourceignore", "*.png\n")))},
		layer{Name: "ignore-by-folder", Layer: compress(archive(file0(".sourceignore/a", "*.md\n"), file0("a.md", ""), file0("b.png", "")))},
	)
}

var parts = []string{"a", "b", "ab", "docs", "a.md", "b.yaml", "x.png", ".git", ".github", "é", "*", "[a]"}

var tokens = []string{"a", "b", "d", "ocs", ".md", ".yaml", "*", "*", "**", "**/", "/", "/", "?", "[ab]", "[^a]", "[a-c]", "[!b]", "\\", "!", "#", " ", "é", "[", "]", "-", ".png"}

// ignored is a folder with rules made by chance.
func ignored(chance *rand.Rand, name string) layer {
	var entries []entry
	paths := map[string]bool{}
	for range 3 + chance.IntN(12) {
		var path []string
		for range 1 + chance.IntN(4) {
			path = append(path, parts[chance.IntN(len(parts))])
		}
		joined := strings.Join(path, "/")
		if clashes(paths, joined) {
			continue
		}
		paths[joined] = true
		entries = append(entries, file0(joined, ""))
		if chance.IntN(4) == 0 && len(path) > 1 {
			at := strings.Join(path[:len(path)-1], "/") + "/.sourceignore"
			entries = append(entries, file0(at, rules(chance)))
		}
	}
	if chance.IntN(3) > 0 {
		entries = append(entries, file0(".sourceignore", rules(chance)))
	}
	made := layer{Name: name, Layer: compress(archive(entries...))}
	if chance.IntN(3) == 0 {
		text := rules(chance)
		made.Ignore = &text
	}
	return made
}

// clashes: one of the two would be a folder.
func clashes(paths map[string]bool, path string) bool {
	for other := range paths {
		if other == path || strings.HasPrefix(other, path+"/") || strings.HasPrefix(path, other+"/") {
			return true
		}
	}
	return false
}

func rules(chance *rand.Rand) string {
	var out strings.Builder
	for range chance.IntN(5) {
		switch chance.IntN(3) {
		case 0:
			fmt.Fprint(&out, parts[chance.IntN(len(parts))])
			if chance.IntN(2) == 0 {
				fmt.Fprint(&out, "/", parts[chance.IntN(len(parts))])
			}
		default:
			for range 1 + chance.IntN(6) {
				fmt.Fprint(&out, tokens[chance.IntN(len(tokens))])
			}
		}
		fmt.Fprint(&out, []string{"\n", "\n", "\n", "\r\n", "/\n", " \n"}[chance.IntN(6)])
	}
	return out.String()
}
