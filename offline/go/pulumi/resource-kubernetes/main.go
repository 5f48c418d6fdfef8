// The official kubernetes plug-in. Its own main package embeds two files that are made at release, so they
// are not in its module; this one embeds what they are made from, which the build puts here. The release adds
// its version to the schema; only the making of SDKs from it looks at that.
package main

import (
	_ "embed"

	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"
	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/version"
)

//go:embed schema.json
var schema []byte

//go:embed terraform-mapping.json
var terraformMapping []byte

func main() { provider.Serve("kubernetes", version.Version, schema, terraformMapping) }
