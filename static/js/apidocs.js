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
});
