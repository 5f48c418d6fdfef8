/**
 * Fits the nginx.tmpl of ingress-nginx v1.11.0, which is written for the project's own build of nginx 1.25,
 * to Debian 12's nginx 1.22 and its dynamic modules. Throws when a place that has to change is not found,
 * so that a template of another version is not bent silently.
 */
export function forDebianNginx(template: string): string {
  let text = template;
  const replace = (what: string, pattern: RegExp, by: string): void => {
    if (!pattern.test(text)) throw new Error(`nginx.tmpl: ${what} is not where it is in v1.11.0.`);
    text = text.replace(pattern, () => by);
  };
  replace(
    "the line of the pid file",
    /^pid \{\{ \.PID \}\};$/m,
    "pid {{ .PID }};\n\n# Debian has Lua, headers-more, set-misc and stream as modules to load.\ninclude /etc/nginx/modules-enabled/*.conf;",
  );
  // The directive came with nginx 1.25.1. Without it, HTTP/1.1 is spoken.
  replace("http2", /^ *http2 on;$/gm, "");
  // Debian has no Lua for the stream module, by which the controller balances TCP and UDP services. What
  // stays is a sink for the list that the controller posts at every change of an endpoint.
  replace("the stream section", /^stream \{[\s\S]*?(?= *# Stream Snippets)/m, streamSection);
  return text;
}

const streamSection = `stream {
    error_log  {{ $cfg.ErrorLogPath }} {{ $cfg.ErrorLogLevel }};
    server {
        listen 127.0.0.1:{{ .StreamPort }};
        ssl_preread on;
        preread_timeout 5s;
        return "";
    }

`;
