/**
 * Extensions of what a page loads: where such a file is missing, the answer is a 404 and never a page of the application, or
 * a script would fail with a syntax error in HTML. Other dots belong to the name: `/user/jane.doe`, `/releases/v1.2`.
 */
const ASSETS = new Set(
  (
    'js mjs cjs jsx ts tsx mts css scss less map json json5 jsonld geojson ndjson webmanifest wasm xml rss atom txt csv tsv md ' +
    'html htm xhtml svg png jpg jpeg gif webp avif jxl ico bmp tif tiff heic apng cur woff woff2 ttf otf eot mp4 m4v webm mov ' +
    'ogv mp3 m4a ogg oga opus wav flac aac vtt srt m3u8 mpd pdf zip gz br tgz tar wgsl glb gltf bin data yaml yml toml rtf ' +
    'doc docx xls xlsx ppt pptx odt ods odp epub php asp aspx jsp env ini log bak sql'
  ).split(' '),
);

/** True where the last part of a path has the extension of a file that pages load. */
export function namesAsset(path: string): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const dot = name.lastIndexOf('.');
  return dot >= 0 && ASSETS.has(name.slice(dot + 1).toLowerCase());
}
