// Swagger UI over our own description. A key that is entered stays in this page.
const place = document.getElementById("swagger-ui");
window.SwaggerUIBundle({
  url: place.dataset.schema,
  dom_id: "#swagger-ui",
  deepLinking: true,
  docExpansion: "none",
  persistAuthorization: false,
  presets: [window.SwaggerUIBundle.presets.apis],
});
