// whoami answers each HTTP request with who answers and what was asked, in the form of traefik/whoami, so
// that one can see a request arrive through the ingress. Standard library only.
//
//	/        text: host name, IP addresses, the caller's address, then the request as it came
//	/api     the same as JSON
//	/health  200 and nothing else, for probes
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// How long a request's header may take to arrive, and how long requests may still run after SIGTERM.
const (
	headerTimeout   = 10 * time.Second
	shutdownTimeout = 5 * time.Second
)

func main() {
	// The flags and variables have the names that traefik/whoami gives them.
	port := flag.String("port", environment("WHOAMI_PORT_NUMBER", "80"), "TCP port to listen on (or set WHOAMI_PORT_NUMBER)")
	name := flag.String("name", os.Getenv("WHOAMI_NAME"), "name to show in each answer (or set WHOAMI_NAME)")
	flag.Parse()

	listener, err := net.Listen("tcp", ":"+*port)
	if err != nil {
		log.Fatalf("cannot listen on port %s: %v; choose another with -port", *port, err)
	}
	stop, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	log.Printf("listening on %s", listener.Addr())
	if err := serve(stop, listener, handler(*name)); err != nil {
		log.Fatal(err)
	}
}

// serve answers requests until stop is done, lets the running ones end, and gives nil then.
func serve(stop context.Context, listener net.Listener, h http.Handler) error {
	server := &http.Server{Handler: h, ReadHeaderTimeout: headerTimeout}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-stop.Done():
	}
	limit, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
	defer cancel()
	if err := server.Shutdown(limit); err != nil {
		return fmt.Errorf("requests still ran %s after the signal to stop: %w", shutdownTimeout, err)
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func handler(name string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/health", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/api", func(w http.ResponseWriter, r *http.Request) { writeJSON(w, r, name) })
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { writeText(w, r, name) })
	return mux
}

func writeText(w http.ResponseWriter, r *http.Request, name string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if name != "" {
		fmt.Fprintln(w, "Name:", name)
	}
	fmt.Fprintln(w, "Hostname:", hostname())
	for _, ip := range addresses() {
		fmt.Fprintln(w, "IP:", ip)
	}
	fmt.Fprintln(w, "RemoteAddr:", r.RemoteAddr)
	// The request line and the headers, as they came over the wire.
	if err := r.Write(w); err != nil {
		log.Printf("answer to %s broke off: %v", r.RemoteAddr, err)
	}
}

// answer is what /api gives. Its keys are those of traefik/whoami.
type answer struct {
	Hostname   string      `json:"hostname,omitempty"`
	IP         []string    `json:"ip,omitempty"`
	Headers    http.Header `json:"headers,omitempty"`
	URL        string      `json:"url,omitempty"`
	Host       string      `json:"host,omitempty"`
	Method     string      `json:"method,omitempty"`
	Name       string      `json:"name,omitempty"`
	RemoteAddr string      `json:"remoteAddr,omitempty"`
}

func writeJSON(w http.ResponseWriter, r *http.Request, name string) {
	w.Header().Set("Content-Type", "application/json")
	err := json.NewEncoder(w).Encode(answer{
		Hostname:   hostname(),
		IP:         addresses(),
		Headers:    r.Header,
		URL:        r.URL.RequestURI(),
		Host:       r.Host,
		Method:     r.Method,
		Name:       name,
		RemoteAddr: r.RemoteAddr,
	})
	if err != nil {
		log.Printf("answer to %s broke off: %v", r.RemoteAddr, err)
	}
}

// hostname gives the host's name, which in a pod is the pod's; empty if the system does not tell.
func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return ""
	}
	return name
}

// addresses gives every IP address of every network interface.
func addresses() []string {
	found, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	ips := make([]string, 0, len(found))
	for _, address := range found {
		if network, ok := address.(*net.IPNet); ok {
			ips = append(ips, network.IP.String())
		}
	}
	return ips
}

func environment(key, otherwise string) string {
	if value := os.Getenv(key); value != "" {
		return value
	}
	return otherwise
}
