// Pushes small Flux artifacts and Helm charts to a registry and prints their digest. It never pulls a layer.
package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"strconv"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/sync/errgroup"
)

const usage = `usage:
  push manifests REG/REPO TAG DIR_OR_TGZ [--annotation KEY=VALUE]... [--creds USER:PASSWORD]
  push chart     REG/REPO TAG DIR_OR_TGZ [--annotation KEY=VALUE]... [--creds USER:PASSWORD]
  push layers    REG/REPO TAG [TYPE=FILE]... [--annotation KEY=VALUE]... [--creds USER:PASSWORD]
  push index     REG/REPO TAG OS/ARCH=TAG... [--creds USER:PASSWORD]
  push tag       REG/REPO OLD NEW...     [--creds USER:PASSWORD]
  push tags      REG/REPO TAG...         [--creds USER:PASSWORD]
  push many      REG/REPO COUNT          [--creds USER:PASSWORD]
  push rm        REG/REPO TAG            [--creds USER:PASSWORD]

manifests, chart, layers and index print the digest of what they pushed, tag the digest it moved,
many the digest that all its tags share, tags one a line. layers takes the files as they are; an index
is made of tags that are there. many pushes 1.0.0, 1.0.1 ... 1.0.99, 1.1.0 ...; tags pushes
something small under each tag, with a digest of its own.`

var errUsage = errors.New(usage)

// command is one line of argv: the words in order, and what the flags said.
type command struct {
	verb        string
	repo        name.Repository
	words       []string
	annotations map[string]string
	options     []remote.Option
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		if errors.Is(err, errUsage) {
			fmt.Fprintln(os.Stderr, usage)
			os.Exit(2)
		}
		fmt.Fprintln(os.Stderr, "push:", err)
		os.Exit(1)
	}
}

func run(argv []string) error {
	cmd, err := parse(argv)
	if err != nil {
		return err
	}
	digest := ""
	switch {
	case cmd.verb == "manifests" && len(cmd.words) == 2:
		digest, err = cmd.push(func(tag string) (*artifact, error) { return manifestsFrom(cmd.words[1], tag) })
	case cmd.verb == "chart" && len(cmd.words) == 2:
		digest, err = cmd.push(func(string) (*artifact, error) { return chartFrom(cmd.words[1]) })
	case cmd.verb == "layers" && len(cmd.words) >= 1:
		digest, err = cmd.push(func(string) (*artifact, error) { return layersFrom(cmd.words[1:]) })
	case cmd.verb == "index" && len(cmd.words) >= 2:
		digest, err = cmd.index(cmd.words[0], cmd.words[1:])
	case cmd.verb == "tag" && len(cmd.words) >= 2:
		digest, err = cmd.retag(cmd.words[0], cmd.words[1:])
	case cmd.verb == "tags" && len(cmd.words) >= 1:
		digest, err = cmd.tags(cmd.words)
	case cmd.verb == "many" && len(cmd.words) == 1:
		digest, err = cmd.many()
	case cmd.verb == "rm" && len(cmd.words) == 1:
		digest, err = cmd.remove(cmd.words[0])
	default:
		return errUsage
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w", cmd.verb, cmd.repo, err)
	}
	fmt.Println(digest)
	return nil
}

func parse(argv []string) (*command, error) {
	cmd := &command{annotations: map[string]string{}}
	auth := authn.Anonymous
	var words []string
	for len(argv) > 0 {
		word, rest := argv[0], argv[1:]
		switch {
		case word != "--annotation" && word != "--creds":
			words = append(words, word)
		case len(rest) == 0:
			return nil, errUsage
		case word == "--annotation":
			key, value, _ := strings.Cut(rest[0], "=")
			cmd.annotations[key] = value
			rest = rest[1:]
		case word == "--creds":
			user, password, _ := strings.Cut(rest[0], ":")
			auth = &authn.Basic{Username: user, Password: password}
			rest = rest[1:]
		}
		argv = rest
	}
	if len(words) < 2 {
		return nil, errUsage
	}
	repo, err := name.NewRepository(words[1])
	if err != nil {
		return nil, err
	}
	cmd.verb, cmd.repo, cmd.words = words[0], repo, words[2:]
	cmd.options = []remote.Option{remote.WithAuth(auth), remote.WithJobs(8)}
	return cmd, nil
}

func (c *command) push(read func(tag string) (*artifact, error)) (string, error) {
	tag := c.words[0]
	artifact, err := read(tag)
	if err != nil {
		return "", err
	}
	maps.Copy(artifact.annotations, c.annotations)
	manifest, err := c.upload(artifact)
	if err != nil {
		return "", err
	}
	return manifest.digest, remote.Put(c.repo.Tag(tag), manifest, c.options...)
}

func (c *command) upload(a *artifact) (*manifest, error) {
	for _, blob := range append([]v1.Layer{a.config}, a.layers...) {
		if err := remote.WriteLayer(c.repo, blob, c.options...); err != nil {
			return nil, err
		}
	}
	return a.manifest()
}

// index pushes one manifest per platform, each named OS/ARCH=TAG; `=TAG` has no platform.
func (c *command) index(tag string, children []string) (string, error) {
	document := v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex}
	for _, child := range children {
		platform, from, _ := strings.Cut(child, "=")
		found, err := remote.Head(c.repo.Tag(from), c.options...)
		if err != nil {
			return "", err
		}
		if system, architecture, _ := strings.Cut(platform, "/"); platform != "" {
			found.Platform = &v1.Platform{OS: system, Architecture: architecture}
		}
		document.Manifests = append(document.Manifests, *found)
	}
	manifest, err := encode(types.OCIImageIndex, document)
	if err != nil {
		return "", err
	}
	return manifest.digest, remote.Put(c.repo.Tag(tag), manifest, c.options...)
}

func (c *command) retag(old string, new []string) (string, error) {
	found, err := remote.Get(c.repo.Tag(old), c.options...)
	if err != nil {
		return "", err
	}
	for _, tag := range new {
		if err := remote.Tag(c.repo.Tag(tag), found, c.options...); err != nil {
			return "", err
		}
	}
	return found.Digest.String(), nil
}

// tags pushes something of its own under each tag.
func (c *command) tags(tags []string) (string, error) {
	placeholder := placeholder()
	if _, err := c.upload(placeholder); err != nil {
		return "", err
	}
	digests := make([]string, len(tags))
	workers := errgroup.Group{}
	workers.SetLimit(8)
	for i, tag := range tags {
		workers.Go(func() error {
			annotations := maps.Clone(placeholder.annotations)
			annotations[versionKey] = tag
			own := artifact{placeholder.config, placeholder.layers, annotations}
			manifest, err := own.manifest()
			if err != nil {
				return err
			}
			digests[i] = manifest.digest
			return remote.Put(c.repo.Tag(tag), manifest, c.options...)
		})
	}
	err := workers.Wait()
	return strings.Join(digests, "\n"), err
}

func (c *command) remove(tag string) (string, error) {
	found, err := remote.Head(c.repo.Tag(tag), c.options...)
	if err != nil {
		return "", err
	}
	return found.Digest.String(), remote.Delete(c.repo.Tag(tag), c.options...)
}

func (c *command) many() (string, error) {
	count, err := strconv.Atoi(c.words[0])
	if err != nil || count < 1 {
		return "", fmt.Errorf("%q is not a count", c.words[0])
	}
	manifest, err := c.upload(placeholder())
	if err != nil {
		return "", err
	}
	pusher, err := remote.NewPusher(c.options...)
	if err != nil {
		return "", err
	}
	workers, ctx := errgroup.WithContext(context.Background())
	workers.SetLimit(8)
	for i := range count {
		workers.Go(func() error { return pusher.Put(ctx, c.repo.Tag(version(i)), manifest) })
	}
	return manifest.digest, workers.Wait()
}

func version(i int) string {
	return fmt.Sprintf("%d.%d.%d", 1+i/10_000, i/100%100, i%100)
}
