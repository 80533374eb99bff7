// Starts Swagger UI on the spec that the page names.
const place = document.getElementById("swagger-ui");

SwaggerUIBundle({
  url: place.dataset.spec,
  queryConfigEnabled: false,
  domNode: place,
  deepLinking: true,
  validatorUrl: null,
  defaultModelsExpandDepth: 0,
  presets: [SwaggerUIBundle.presets.apis],
  plugins: [SwaggerUIBundle.plugins.DownloadUrl],
  onComplete: name,
});

// What Swagger UI leaves out: the rank of its headings and the name of its choice of servers.
function name() {
  for (const heading of place.querySelectorAll("h4.opblock-tag, .models h4, h3.opblock-tag")) {
    heading.setAttribute("role", "heading");
    heading.setAttribute("aria-level", "3");
  }
  place.querySelector(".servers select")?.setAttribute("aria-label", "Server");
}
