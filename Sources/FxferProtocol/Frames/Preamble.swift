/// The first eight bytes in either direction, built like PNG's signature so that a path which alters bytes is noticed
/// at once:
///
/// ```
///  F8     46 58 46    0D 0A     1A         0A
///  not    "FXF"       CR LF     ends a     LF
///  ASCII,                       text on
///  not UTF-8                    old systems
/// ```
package enum Preamble {
    package static let bytes: [UInt8] = [0xF8, 0x46, 0x58, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]
}
