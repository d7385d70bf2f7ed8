// What is pushed: one config, one layer, and the manifest around them, as Flux and Helm write them.
package main

import (
	"bytes"
	"crypto/sha1"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"sigs.k8s.io/yaml"
)

const (
	fluxConfig  types.MediaType = "application/vnd.cncf.flux.config.v1+json"
	fluxContent types.MediaType = "application/vnd.cncf.flux.content.v1.tar+gzip"
	helmConfig  types.MediaType = "application/vnd.cncf.helm.config.v1+json"
	helmContent types.MediaType = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"

	titleKey       = "org.opencontainers.image.title"
	versionKey     = "org.opencontainers.image.version"
	descriptionKey = "org.opencontainers.image.description"
	createdKey     = "org.opencontainers.image.created"
	sourceKey      = "org.opencontainers.image.source"
	revisionKey    = "org.opencontainers.image.revision"

	source = "https://git.example/fluxscope/artifacts.git"
)

type artifact struct {
	config      v1.Layer
	layers      []v1.Layer
	annotations map[string]string
}

// manifest is what remote.Put asks for: the bytes and their media type.
type manifest struct {
	raw       []byte
	digest    string
	mediaType types.MediaType
}

func (m *manifest) RawManifest() ([]byte, error)        { return m.raw, nil }
func (m *manifest) MediaType() (types.MediaType, error) { return m.mediaType, nil }

func (a *artifact) manifest() (*manifest, error) {
	config, err := describe(a.config)
	if err != nil {
		return nil, err
	}
	layers := make([]v1.Descriptor, len(a.layers))
	for i, layer := range a.layers {
		if layers[i], err = describe(layer); err != nil {
			return nil, err
		}
	}
	return encode(types.OCIManifestSchema1, v1.Manifest{
		SchemaVersion: 2,
		MediaType:     types.OCIManifestSchema1,
		Config:        config,
		Layers:        layers,
		Annotations:   a.annotations,
	})
}

func encode(mediaType types.MediaType, document any) (*manifest, error) {
	raw, err := json.Marshal(document)
	if err != nil {
		return nil, err
	}
	digest, _, err := v1.SHA256(bytes.NewReader(raw))
	return &manifest{raw: raw, digest: digest.String(), mediaType: mediaType}, err
}

func describe(layer v1.Layer) (v1.Descriptor, error) {
	digest, err := layer.Digest()
	if err != nil {
		return v1.Descriptor{}, err
	}
	size, err := layer.Size()
	if err != nil {
		return v1.Descriptor{}, err
	}
	mediaType, err := layer.MediaType()
	return v1.Descriptor{MediaType: mediaType, Size: size, Digest: digest}, err
}

// manifestsFrom takes a folder of YAML, or a .tgz of one, as `flux push artifact` does. The
// revision annotation stands for a commit: it follows the content, so equal content says the same.
func manifestsFrom(path, tag string) (*artifact, error) {
	content, err := archive(path, "")
	if err != nil {
		return nil, err
	}
	config, err := imageConfig(content)
	if err != nil {
		return nil, err
	}
	return &artifact{
		config: static.NewLayer(config, fluxConfig),
		layers: []v1.Layer{static.NewLayer(content, fluxContent)},
		annotations: map[string]string{
			createdKey:  now(),
			sourceKey:   source,
			revisionKey: fmt.Sprintf("%s@sha1:%x", tag, sha1.Sum(content)),
		},
	}, nil
}

// imageConfig is the config that `flux push artifact` writes: an image without a platform.
func imageConfig(content []byte) ([]byte, error) {
	diff, err := uncompressedDigest(content)
	if err != nil {
		return nil, err
	}
	return json.Marshal(v1.ConfigFile{RootFS: v1.RootFS{Type: "layers", DiffIDs: []v1.Hash{diff}}})
}

// chartFrom takes a chart's folder, or the .tgz that `helm package` makes of one.
func chartFrom(path string) (*artifact, error) {
	chart, content, err := readChart(path)
	if err != nil {
		return nil, err
	}
	config, err := yaml.YAMLToJSON(chart)
	if err != nil {
		return nil, fmt.Errorf("Chart.yaml: %w", err)
	}
	var fields struct{ Name, Version, Description string }
	if err := json.Unmarshal(config, &fields); err != nil {
		return nil, fmt.Errorf("Chart.yaml: %w", err)
	}
	annotations := map[string]string{
		titleKey:   fields.Name,
		versionKey: fields.Version,
		createdKey: now(),
	}
	if fields.Description != "" {
		annotations[descriptionKey] = fields.Description
	}
	return &artifact{
		config:      static.NewLayer(config, helmConfig),
		layers:      []v1.Layer{static.NewLayer(content, helmContent)},
		annotations: annotations,
	}, nil
}

func readChart(path string) (chart, content []byte, err error) {
	if isFolder(path) {
		if chart, err = os.ReadFile(filepath.Join(path, "Chart.yaml")); err != nil {
			return nil, nil, err
		}
		var fields struct{ Name string }
		if err = yaml.Unmarshal(chart, &fields); err != nil {
			return nil, nil, fmt.Errorf("Chart.yaml: %w", err)
		}
		content, err = archive(path, fields.Name)
		return chart, content, err
	}
	if content, err = os.ReadFile(path); err != nil {
		return nil, nil, err
	}
	chart, err = chartFile(content)
	return chart, content, err
}

// placeholder is the smallest thing that a tag can point to and that a layerSelector, for Flux's
// content or for a chart, finds something in.
func placeholder() *artifact {
	// two layers of the same bytes would be one to Flux, of the first one's type: so each has a name inside
	layer := func(mediaType types.MediaType, name string) v1.Layer {
		return static.NewLayer(emptyArchive(name), mediaType)
	}
	return &artifact{
		config:      static.NewLayer([]byte("{}"), fluxConfig),
		layers:      []v1.Layer{layer(fluxContent, "content"), layer(helmContent, "chart")},
		annotations: map[string]string{createdKey: "2026-01-01T00:00:00Z", sourceKey: source},
	}
}

// layersFrom takes files as they are, each named TYPE=FILE. What is in them is nobody's business here.
func layersFrom(named []string) (*artifact, error) {
	a := placeholder()
	a.layers = nil
	for _, layer := range named {
		mediaType, file, _ := strings.Cut(layer, "=")
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		a.layers = append(a.layers, static.NewLayer(content, types.MediaType(mediaType)))
	}
	return a, nil
}

func now() string {
	return time.Now().UTC().Format(time.RFC3339)
}
