// Swagger UI has its dark colours behind a class, so the class follows the system's choice.
const darkScheme = matchMedia('(prefers-color-scheme: dark)');
const applyScheme = () => document.documentElement.classList.toggle('dark-mode', darkScheme.matches);
darkScheme.addEventListener('change', applyScheme);
applyScheme();

SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#reference',
  presets: [SwaggerUIBundle.presets.apis],
  layout: 'BaseLayout',
  deepLinking: true,
  docExpansion: 'list',
  filter: true,
  defaultModelsExpandDepth: -1,
  // A reference, not a client: nobody is to paste a token into a page of documents.
  supportedSubmitMethods: [],
  // Without it a server of Swagger's would be sent the address of the document.
  validatorUrl: null,
  plugins: [
    () => ({
      wrapComponents: {
        // The page has a heading of its own, and there is nothing to sign in for or to fill in.
        InfoContainer: () => () => null,
        authorizeBtn: () => () => null,
        authorizeOperationBtn: () => () => null,
        JsonSchemaForm: () => () => null,
        // Both would be controls inside the control that opens an operation, which keyboards cannot tell apart.
        DeepLink: () => ({ text }) => text,
        CopyToClipboardBtn: () => () => null,
      },
    }),
  ],
});
