// CoreDNS with the plugins that a cluster's own Corefile uses, and no others: the whole set pulls in the
// libraries of several clouds, tracers and name services, which take minutes to compile.
package main

import (
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"

	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/forward"
	_ "github.com/coredns/coredns/plugin/health"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/loadbalance"
	_ "github.com/coredns/coredns/plugin/loop"
	_ "github.com/coredns/coredns/plugin/metrics"
	_ "github.com/coredns/coredns/plugin/ready"
	_ "github.com/coredns/coredns/plugin/reload"
)

func main() {
	// In the order of CoreDNS's own list (core/dnsserver/zdirectives.go): it is the order in which a query
	// passes the plugins.
	dnsserver.Directives = []string{
		"reload",
		"health",
		"ready",
		"prometheus",
		"errors",
		"loadbalance",
		"cache",
		"kubernetes",
		"loop",
		"forward",
	}
	coremain.Run()
}
