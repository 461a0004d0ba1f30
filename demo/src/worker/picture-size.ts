// Width and height of a picture from its first bytes, so that a huge one is refused before a browser decodes it. PNG: W3C PNG
// 11.2.1; JPEG: ITU-T T.81 B.2; WebP: RFC 9649; GIF: GIF89a 18.

export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/** JPEG puts its size behind comments, colour profiles and thumbnails. */
const HEAD_BYTES = 1 << 20;

function png(view: DataView): PictureSize {
  return { width: view.getUint32(16), height: view.getUint32(20) };
}

function gif(view: DataView): PictureSize {
  return { width: view.getUint16(6, true), height: view.getUint16(8, true) };
}

/** From the frame header, whichever way it is coded; null: none comes. */
function jpeg(view: DataView): PictureSize | null {
  for (let at = 2; at + 9 <= view.byteLength; ) {
    if (view.getUint8(at) !== 0xff) return null;
    const marker = view.getUint8(at + 1);
    // DHT, JPG and DAC share the numbers of frame headers.
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) return { width: view.getUint16(at + 7), height: view.getUint16(at + 5) };
    // Fill bytes stand before a marker; all markers here have a length.
    at += marker === 0xff ? 1 : 2 + view.getUint16(at + 2);
  }
  return null;
}

function webp(view: DataView): PictureSize | null {
  const u24 = (at: number) => view.getUint16(at, true) + (view.getUint8(at + 2) << 16);
  switch (view.getUint32(12)) {
    case 0x56503858: // VP8X
      return { width: 1 + u24(24), height: 1 + u24(27) };
    case 0x5650384c: {
      // VP8L
      const bits = view.getUint32(21, true);
      return { width: 1 + (bits & 0x3fff), height: 1 + ((bits >>> 14) & 0x3fff) };
    }
    case 0x56503820: // VP8
      return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
    default:
      return null;
  }
}

/** What the header says; null: of another format, or broken, which decoding tells. */
export async function pictureSize(file: Blob): Promise<PictureSize | null> {
  const view = new DataView(await file.slice(0, HEAD_BYTES).arrayBuffer());
  const size = view.byteLength < 32 ? null : sizeIn(view);
  return size && size.width * size.height > 0 ? size : null;
}

function sizeIn(view: DataView): PictureSize | null {
  if (view.getUint32(0) === 0x89504e47) return png(view);
  if (view.getUint32(0) === 0x47494638) return gif(view);
  if (view.getUint16(0) === 0xffd8) return jpeg(view);
  return view.getUint32(0) === 0x52494646 && view.getUint32(8) === 0x57454250 ? webp(view) : null;
}
