// validatorUrl: the badge would send this page's address to a third party.
// persistAuthorization: a key that is pasted here is gone when the page is closed.
SwaggerUIBundle({
  url: "doc.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  persistAuthorization: false,
  validatorUrl: null,
});
