package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/artifact/storage"
	"github.com/fluxcd/pkg/sourceignore"
	fluxtar "github.com/fluxcd/pkg/tar"
)

// Stands in every message for the folder that Flux made to unpack into.
const folder = "/tmp/ocirepository-…"

// file is one that Flux stores. Path holds the bytes of its name in hex, as they need not be UTF-8.
type file struct {
	Path       string `json:"path"`
	Size       int64  `json:"size"`
	Sha256     string `json:"sha256"`
	Executable bool   `json:"executable,omitempty"`
}

// judged is what Flux makes of a layer.
type judged struct {
	Error string `json:"error,omitempty"`
	Files []file `json:"files,omitempty"`
}

// judge does what source-controller's reconcileSource and reconcileArtifact do with a layer that is to be extracted.
func judge(layer []byte, ignore *string) (judged, error) {
	// like source-controller's: its parent is /tmp
	dir, err := os.MkdirTemp("", "ocirepository-")
	if err != nil {
		return judged{}, err
	}
	defer os.RemoveAll(dir)
	root, err := os.MkdirTemp("", "stored-")
	if err != nil {
		return judged{}, err
	}
	defer os.RemoveAll(root)
	said := func(err error) judged {
		return judged{Error: strings.ReplaceAll(err.Error(), dir, folder)}
	}
	if err := fluxtar.Untar(bytes.NewReader(layer), dir, fluxtar.WithMaxUntarSize(-1), fluxtar.WithSkipSymlinks()); err != nil {
		return said(fmt.Errorf("failed to extract layer contents from artifact: %w", err)), nil
	}
	domain := strings.Split(dir, string(filepath.Separator))
	patterns, err := sourceignore.LoadIgnorePatterns(dir, domain)
	if err != nil {
		return said(fmt.Errorf("failed to load source ignore patterns from repository: %w", err)), nil
	}
	if ignore != nil {
		patterns = append(patterns, sourceignore.ReadPatterns(strings.NewReader(*ignore), domain)...)
	}
	store := storage.Storage{BasePath: root}
	artifact := meta.Artifact{Path: "stored.tar.gz"}
	if err := store.Archive(&artifact, dir, storage.SourceIgnoreFilter(patterns, domain)); err != nil {
		return said(fmt.Errorf("unable to archive artifact to storage: %w", err)), nil
	}
	files, err := list(filepath.Join(root, "stored.tar.gz"))
	return judged{Files: files}, err
}

func list(path string) ([]file, error) {
	stored, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer stored.Close()
	unpacked, err := gzip.NewReader(stored)
	if err != nil {
		return nil, err
	}
	var files []file
	entries := tar.NewReader(unpacked)
	for {
		entry, err := entries.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, err
		}
		if entry.Typeflag != tar.TypeReg {
			continue
		}
		hash := sha256.New()
		if _, err := io.Copy(hash, entries); err != nil {
			return nil, err
		}
		files = append(files, file{
			Path:       hex.EncodeToString([]byte(entry.Name)),
			Size:       entry.Size,
			Sha256:     hex.EncodeToString(hash.Sum(nil)),
			Executable: entry.Mode&0o111 != 0,
		})
	}
}
