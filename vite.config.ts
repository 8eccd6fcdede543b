/**
 * Builds the element: `dist/widget/phone-proof.js`, whose name pages rely on, and beside it the chunks
 * it loads when needed, named by their content so that they can be cached for ever.
 */
import { defineConfig, type Plugin } from 'vite';

export default defineConfig({
  plugins: [smallerTemplates()],
  // Chunks lie beside the entry, wherever a server puts them.
  base: './',
  publicDir: false,
  build: {
    target: 'es2022',
    outDir: 'dist/widget',
    sourcemap: true,
    modulePreload: false,
    rolldownOptions: {
      input: { 'phone-proof': 'widget/phone-proof.ts' },
      // What chunks share with the entry stays in it: a page then waits for one file, not for two in a row.
      preserveEntrySignatures: 'allow-extension',
      output: {
        entryFileNames: '[name].js',
        chunkFileNames: 'phone-proof/[name]-[hash].js',
      },
    },
  },
});

/**
 * Minifiers leave template literals alone, and half of the element is in them. This takes the
 * indentation and comments out of `css` and the line breaks out of `html` templates.
 */
function smallerTemplates(): Plugin {
  return {
    name: 'smaller-templates',
    enforce: 'pre',
    transform: {
      filter: { id: /\/widget\/(styles|steps)\/.*\.ts$/ },
      handler: (source) => ({
        code: source
          .replace(/css`[^`]*`/g, (sheet) =>
            sheet
              .replace(/\/\*.*?\*\//gs, '')
              .replace(/\s+/g, ' ')
              .replace(/ ?([{};,]) ?/g, '$1')
              .replace(/: /g, ':')
              .replace(/;}/g, '}'),
          )
          // Between tags a line break means nothing here; anywhere else it may be a space.
          .replace(/>\s*\n\s*</g, '><')
          .replace(/\n\s+/g, '\n'),
        map: null,
      }),
    },
  };
}
