package main

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

func ask(t *testing.T, name, method, target string, body io.Reader) *http.Response {
	t.Helper()
	server := httptest.NewServer(handler(name))
	t.Cleanup(server.Close)
	request, err := http.NewRequest(method, server.URL+target, body)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = "whoami.localhost"
	request.Header.Set("X-Forwarded-For", "192.0.2.7")
	response, err := server.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	return response
}

func text(t *testing.T, response *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(body), "\r\n", "\n")
}

func TestTextSaysWhoAnswersThenTheRequest(t *testing.T) {
	got := text(t, ask(t, "", "GET", "/some/path?q=1", nil))
	host, _ := os.Hostname()
	if !strings.HasPrefix(got, "Hostname: "+host+"\nIP: ") {
		t.Errorf("does not begin with host name and addresses:\n%s", got)
	}
	lines := strings.Split(got, "\n")
	if !slices.Contains(lines, "IP: 127.0.0.1") {
		t.Errorf("the loopback address is missing:\n%s", got)
	}
	remote := slices.IndexFunc(lines, func(line string) bool { return strings.HasPrefix(line, "RemoteAddr: 127.0.0.1:") })
	if remote < 0 {
		t.Fatalf("the caller's address is missing:\n%s", got)
	}
	want := []string{"GET /some/path?q=1 HTTP/1.1", "Host: whoami.localhost"}
	if !slices.Equal(lines[remote+1:remote+3], want) {
		t.Errorf("after the caller's address: %q, wanted %q", lines[remote+1:remote+3], want)
	}
	if !slices.Contains(lines[remote+3:], "X-Forwarded-For: 192.0.2.7") {
		t.Errorf("a header of the request is missing:\n%s", got)
	}
}

func TestTextShowsTheNameFirstWhenThereIsOne(t *testing.T) {
	if got := text(t, ask(t, "blue", "GET", "/", nil)); !strings.HasPrefix(got, "Name: blue\nHostname: ") {
		t.Errorf("does not begin with the name:\n%s", got)
	}
	if got := text(t, ask(t, "", "GET", "/", nil)); strings.Contains(got, "Name: ") {
		t.Errorf("shows a name that was not given:\n%s", got)
	}
}

func TestApiSaysTheSameAsJson(t *testing.T) {
	response := ask(t, "blue", "POST", "/api?q=1", strings.NewReader("body"))
	if kind := response.Header.Get("Content-Type"); kind != "application/json" {
		t.Errorf("Content-Type is %q", kind)
	}
	var got map[string]any
	if err := json.NewDecoder(response.Body).Decode(&got); err != nil {
		t.Fatal(err)
	}
	host, _ := os.Hostname()
	for key, want := range map[string]any{
		"hostname": host, "name": "blue", "host": "whoami.localhost", "method": "POST", "url": "/api?q=1",
	} {
		if got[key] != want {
			t.Errorf("%s is %v, wanted %v", key, got[key], want)
		}
	}
	if ips, _ := got["ip"].([]any); !slices.Contains(ips, any("127.0.0.1")) {
		t.Errorf("ip is %v", got["ip"])
	}
	if remote, _ := got["remoteAddr"].(string); !strings.HasPrefix(remote, "127.0.0.1:") {
		t.Errorf("remoteAddr is %q", remote)
	}
	headers, _ := got["headers"].(map[string]any)
	if forwarded, _ := headers["X-Forwarded-For"].([]any); !slices.Equal(forwarded, []any{"192.0.2.7"}) {
		t.Errorf("headers are %v", headers)
	}
}

func TestHealthIs200WithoutAnAnswer(t *testing.T) {
	response := ask(t, "", "GET", "/health", nil)
	if got := text(t, response); response.StatusCode != 200 || got != "" {
		t.Errorf("%d %q", response.StatusCode, got)
	}
}

func TestStopLetsARunningRequestEnd(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	stop, cancel := context.WithCancel(context.Background())
	defer cancel()
	arrived, release, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	slow := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(arrived)
		<-release
		io.WriteString(w, "whole")
	})
	go func() { ended <- serve(stop, listener, slow) }()
	body := make(chan string, 1)
	go func() {
		response, err := http.Get("http://" + listener.Addr().String())
		if err != nil {
			body <- err.Error()
			return
		}
		defer response.Body.Close()
		all, _ := io.ReadAll(response.Body)
		body <- string(all)
	}()
	<-arrived
	cancel()
	// Only when new callers are refused has the stop begun; the running request is let go after that.
	for deadline := time.Now().Add(5 * time.Second); ; {
		connection, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			break
		}
		connection.Close()
		if time.Now().After(deadline) {
			t.Fatal("still takes callers 5 s after the stop")
		}
	}
	close(release)
	if got := <-body; got != "whole" {
		t.Errorf("the running request got %q", got)
	}
	if err := <-ended; err != nil {
		t.Errorf("serve ended with %v", err)
	}
}

func TestThePortComesFromTheEnvironmentUnlessSet(t *testing.T) {
	t.Setenv("WHOAMI_TEST", "8080")
	if got := environment("WHOAMI_TEST", "80"); got != "8080" {
		t.Errorf("set: %q", got)
	}
	t.Setenv("WHOAMI_TEST", "")
	if got := environment("WHOAMI_TEST", "80"); got != "80" {
		t.Errorf("empty: %q", got)
	}
}
