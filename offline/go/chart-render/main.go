// chart-render shows what a Helm chart makes of some values, without a cluster
// and without the helm command. It uses the same Helm library, in the same
// version, as the Pulumi Kubernetes plug-in, so the tests see what `pulumi up`
// would send.
//
// Standard input, any number of times:
//
//	{"chart": folder, "release": name, "namespace": name, "values": {...}}
//
// Standard output, a line for each: {"objects": [...]}, in the order in which
// Helm installs them, or {"refused": "why"} when the chart does not take the values.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/releaseutil"
	"sigs.k8s.io/yaml"
)

// What a chart sees as the cluster's version: the one that this project raises.
var kubernetes = chartutil.KubeVersion{Version: "v1.36.3", Major: "1", Minor: "36"}

type request struct {
	Chart     string         `json:"chart"`
	Release   string         `json:"release"`
	Namespace string         `json:"namespace"`
	Values    map[string]any `json:"values"`
}

type answer struct {
	Objects []map[string]any `json:"objects,omitempty"`
	Refused string           `json:"refused,omitempty"`
}

func main() {
	requests, answers := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		var asked request
		if err := requests.Decode(&asked); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			fail(fmt.Errorf("a request on standard input cannot be read: %w", err))
		}
		var answered answer
		var err error
		if answered.Objects, err = render(asked); err != nil {
			answered.Refused = err.Error()
		}
		if err := answers.Encode(answered); err != nil {
			fail(err)
		}
	}
}

func render(asked request) ([]map[string]any, error) {
	chart, err := loader.Load(asked.Chart)
	if err != nil {
		return nil, err
	}
	options := chartutil.ReleaseOptions{Name: asked.Release, Namespace: asked.Namespace, Revision: 1, IsInstall: true}
	cluster := chartutil.DefaultCapabilities.Copy()
	cluster.KubeVersion = kubernetes
	values, err := chartutil.ToRenderValues(chart, asked.Values, options, cluster)
	if err != nil {
		return nil, err
	}
	files, err := engine.Render(chart, values)
	if err != nil {
		return nil, err
	}
	for name := range files {
		if strings.HasSuffix(name, "NOTES.txt") {
			delete(files, name)
		}
	}
	hooks, manifests, err := releaseutil.SortManifests(files, chartutil.DefaultVersionSet, releaseutil.InstallOrder)
	if err != nil {
		return nil, err
	}
	objects := []map[string]any{}
	for _, manifest := range manifests {
		objects, err = read(objects, manifest.Name, manifest.Content)
		if err != nil {
			return nil, err
		}
	}
	for _, hook := range hooks {
		objects, err = read(objects, hook.Path, hook.Manifest)
		if err != nil {
			return nil, err
		}
	}
	return objects, nil
}

// read takes one YAML document as Helm does before it sends it: strictly, so
// that a key given twice is an error and not the last one.
func read(objects []map[string]any, name, text string) ([]map[string]any, error) {
	object := map[string]any{}
	if err := yaml.UnmarshalStrict([]byte(text), &object); err != nil {
		return nil, fmt.Errorf("%s is not valid YAML: %w", name, err)
	}
	return append(objects, object), nil
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
