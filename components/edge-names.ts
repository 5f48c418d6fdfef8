/** The names at the edge. Apart from the components, so that whoever only names them does not load Pulumi's SDK. */

/** The ingress class that this program's Ingresses name: ingress-nginx's, which Traefik serves as well. */
export const ingressClass = "nginx";

/** The annotation by which TLS ends at the service behind an Ingress, not at the controller. */
export const passthroughAnnotation = "nginx.ingress.kubernetes.io/ssl-passthrough";

/** The chart's service of the Vault node that leads. A standby would pass most requests on to it. */
export const activeService = "vault-active";
