// kube is every component of Kubernetes in one program: it is the one whose name it is called by, or that
// its first argument names (`kube kubelet --version`). The components share most of their code, so one program
// is linked once and takes the room of one, and the images of a node share one layer.
package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/component-base/cli"
	"k8s.io/component-base/logs"
	kubectlcmd "k8s.io/kubectl/pkg/cmd"
	kubectlutil "k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubeadm "k8s.io/kubernetes/cmd/kubeadm/app"
	kubeadmerrors "k8s.io/kubernetes/cmd/kubeadm/app/util/errors"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"

	// As the components' own main packages have them: kubectl's ways to log in, JSON as a log format, metrics
	// of client and build, time zones for CronJobs.
	_ "time/tzdata"

	_ "k8s.io/client-go/plugin/pkg/client/auth"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
)

// components run to their end and give the exit code, each as its own main package does.
var components = map[string]func() int{
	"kube-apiserver":          command(apiserver.NewAPIServerCommand),
	"kube-controller-manager": command(controllermanager.NewControllerManagerCommand),
	"kube-scheduler":          command(func() *cobra.Command { return scheduler.NewSchedulerCommand() }),
	"kube-proxy":              command(proxy.NewProxyCommand),
	"kubelet":                 command(func() *cobra.Command { return kubelet.NewKubeletCommand(context.Background()) }),
	"kubeadm":                 runKubeadm,
	"kubectl":                 runKubectl,
}

func main() {
	name := filepath.Base(os.Args[0])
	if components[name] == nil && len(os.Args) > 1 {
		// cobra and kubectl's plug-ins look at the arguments themselves.
		os.Args = os.Args[1:]
		name = os.Args[0]
	}
	run := components[name]
	if run == nil {
		known := strings.Join(slices.Sorted(maps.Keys(components)), ", ")
		fmt.Fprintf(os.Stderr, "%q is no component of Kubernetes: call this program by one of these names, or give one as first argument: %s\n", name, known)
		os.Exit(2)
	}
	os.Exit(run())
}

func command(make func() *cobra.Command) func() int {
	return func() int { return cli.Run(make()) }
}

func runKubeadm() int {
	kubeadmerrors.HandleError(kubeadm.Run())
	return 0
}

func runKubectl() int {
	// Before the command is made, so that -v also holds for what is done then: plug-ins and .kuberc.
	logs.GlogSetter(kubectlcmd.GetLogVerbosity(os.Args))
	if err := cli.RunNoErrOutput(kubectlcmd.NewDefaultKubectlCommand()); err != nil {
		kubectlutil.CheckErr(err)
	}
	return 0
}
