// Writes odd layers and what Flux's own code makes of them, as one JSON document. It asks no cluster and no registry.
package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"strconv"
	"syscall"
)

// A damaged header may ask for a file that fills the disk.
const largestFile = 16 << 20

const usage = `usage:
  untar named             every layer that somebody thought of, by name
  untar random SEED COUNT as many layers made by chance, and mutations of them
  untar broken SEED COUNT as many sound archives whose compressed bytes are damaged
  untar ignore SEED COUNT as many folders with ignore rules made by chance`

// layer is one to be judged; ignore is spec.ignore, where there is one.
type layer struct {
	Name   string  `json:"name"`
	Layer  []byte  `json:"layer"`
	Ignore *string `json:"ignore,omitempty"`
	judged
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(argv []string) error {
	var layers []layer
	switch {
	case len(argv) == 1 && argv[0] == "named":
		layers = named()
	case len(argv) == 3:
		seed, err := strconv.ParseUint(argv[1], 10, 64)
		if err != nil {
			return err
		}
		count, err := strconv.Atoi(argv[2])
		if err != nil {
			return err
		}
		chance := rand.New(rand.NewPCG(seed, 1))
		for i := range count {
			name := fmt.Sprintf("%s-%d-%d", argv[0], seed, i)
			switch argv[0] {
			case "random":
				layers = append(layers, random(chance, name))
			case "broken":
				layers = append(layers, broken(chance, name))
			case "ignore":
				layers = append(layers, ignored(chance, name))
			default:
				return fmt.Errorf("%s", usage)
			}
		}
	default:
		return fmt.Errorf("%s", usage)
	}
	if err := limited(func() error {
		for i := range layers {
			var err error
			if layers[i].judged, err = judge(layers[i].Layer, layers[i].Ignore); err != nil {
				return fmt.Errorf("%s: %w", layers[i].Name, err)
			}
		}
		return nil
	}); err != nil {
		return err
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetIndent("", " ")
	return encoder.Encode(layers)
}

// limited keeps what is done from writing a large file; our own output may be larger.
func limited(do func() error) error {
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		return err
	}
	signal.Ignore(syscall.SIGXFSZ)
	small := syscall.Rlimit{Cur: largestFile, Max: before.Max}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &small); err != nil {
		return err
	}
	failed := do()
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		return err
	}
	return failed
}
