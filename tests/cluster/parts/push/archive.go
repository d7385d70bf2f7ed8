// Folders as .tar.gz and back. The same folder always gives the same bytes.
package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// archive packs the regular files of a folder below prefix, in the order of their names.
// A file is taken as it is.
func archive(from, prefix string) ([]byte, error) {
	if !isFolder(from) {
		return os.ReadFile(from)
	}
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	tape := tar.NewWriter(zip)
	err := filepath.WalkDir(from, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		return add(tape, from, prefix, file)
	})
	err = errors.Join(err, tape.Close(), zip.Close())
	return packed.Bytes(), err
}

func add(tape *tar.Writer, root, prefix, file string) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	relative, err := filepath.Rel(root, file)
	if err != nil {
		return err
	}
	header := &tar.Header{
		Name: path.Join(prefix, filepath.ToSlash(relative)),
		Mode: 0o644,
		Size: int64(len(content)),
	}
	if err := tape.WriteHeader(header); err != nil {
		return err
	}
	_, err = tape.Write(content)
	return err
}

// chartFile finds NAME/Chart.yaml, which stands one folder below the top of a packed chart.
func chartFile(content []byte) ([]byte, error) {
	zip, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	for tape := tar.NewReader(zip); ; {
		header, err := tape.Next()
		if errors.Is(err, io.EOF) {
			return nil, errors.New("no Chart.yaml in the archive")
		}
		if err != nil {
			return nil, err
		}
		if _, file, _ := strings.Cut(path.Clean(header.Name), "/"); file == "Chart.yaml" {
			return io.ReadAll(tape)
		}
	}
}

func uncompressedDigest(content []byte) (v1.Hash, error) {
	zip, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		return v1.Hash{}, fmt.Errorf("not a .tgz: %w", err)
	}
	digest, _, err := v1.SHA256(zip)
	return digest, err
}

// emptyArchive holds nothing; the name stands in the header of gzip.
func emptyArchive(name string) []byte {
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	zip.Name = name
	tape := tar.NewWriter(zip)
	_ = errors.Join(tape.Close(), zip.Close())
	return packed.Bytes()
}

func isFolder(path string) bool {
	found, err := os.Stat(path)
	return err == nil && found.IsDir()
}
