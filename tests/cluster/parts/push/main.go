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
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"golang.org/x/sync/errgroup"
)

const usage = `usage:
  push manifests REG/REPO TAG DIR_OR_TGZ [--annotation KEY=VALUE]... [--creds USER:PASSWORD]
  push chart     REG/REPO TAG DIR_OR_TGZ [--annotation KEY=VALUE]... [--creds USER:PASSWORD]
  push tag       REG/REPO OLD NEW        [--creds USER:PASSWORD]
  push many      REG/REPO COUNT          [--creds USER:PASSWORD]
  push rm        REG/REPO TAG            [--creds USER:PASSWORD]

manifests and chart print the digest of what they pushed, tag the digest it moved,
many the digest that all its tags share. many pushes 1.0.0, 1.0.1 ... 1.0.99, 1.1.0 ...`

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
		digest, err = cmd.push(manifestsFrom)
	case cmd.verb == "chart" && len(cmd.words) == 2:
		digest, err = cmd.push(chartFrom)
	case cmd.verb == "tag" && len(cmd.words) == 2:
		digest, err = cmd.retag(cmd.words[0], cmd.words[1])
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

func (c *command) push(read func(path, tag string) (*artifact, error)) (string, error) {
	tag, path := c.words[0], c.words[1]
	artifact, err := read(path, tag)
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
	if err := remote.WriteLayer(c.repo, a.config, c.options...); err != nil {
		return nil, err
	}
	if err := remote.WriteLayer(c.repo, a.layer, c.options...); err != nil {
		return nil, err
	}
	return a.manifest()
}

func (c *command) retag(old, new string) (string, error) {
	found, err := remote.Get(c.repo.Tag(old), c.options...)
	if err != nil {
		return "", err
	}
	return found.Digest.String(), remote.Tag(c.repo.Tag(new), found, c.options...)
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
