import CLibcrypto

/// Base64 (RFC 4648): without padding, of and to 32 bytes: 43 characters; with padding, of and to any number.
enum Base64 {
    /// The characters for `bytes`, with `+` and `/`.
    static func encode(_ bytes: [UInt8]) -> [UInt8] {
        self.encodePadded(bytes).filter { $0 != UInt8(ascii: "=") }
    }

    /// The characters for `bytes`, with `+` and `/`, and `=` up to a multiple of four.
    static func encodePadded(_ bytes: [UInt8]) -> [UInt8] {
        // EVP_EncodeBlock pads, and ends with a zero.
        var text = [UInt8](repeating: 0, count: (bytes.count + 2) / 3 * 4 + 1)
        let count = EVP_EncodeBlock(&text, bytes, CInt(bytes.count))
        return Array(text.prefix(Int(count)))
    }

    /// The `count` bytes for which ``encodePadded(_:)`` gives exactly `text`; nil where there are none.
    static func decodePadded(_ text: [UInt8], count: Int) -> [UInt8]? {
        guard text.count == (count + 2) / 3 * 4 else { return nil }
        var bytes = [UInt8](repeating: 0, count: text.count / 4 * 3)
        guard EVP_DecodeBlock(&bytes, text, CInt(text.count)) == bytes.count else {
            ERR_clear_error()
            return nil
        }
        let result = Array(bytes.prefix(count))
        return self.encodePadded(result) == text ? result : nil
    }

    /// The characters for `bytes` that are safe in names and addresses: `-` and `_` in place of `+` and `/`.
    static func encodeForNames(_ bytes: [UInt8]) -> [UInt8] {
        self.encode(bytes).map { character in
            switch character {
            case UInt8(ascii: "+"): UInt8(ascii: "-")
            case UInt8(ascii: "/"): UInt8(ascii: "_")
            default: character
            }
        }
    }

    /// The 32 bytes for which ``encode(_:)`` gives exactly `text`; nil where there are none.
    static func decode32(_ text: [UInt8]) -> [UInt8]? {
        guard text.count == 43 else { return nil }
        var bytes = [UInt8](repeating: 0, count: 33)
        // EVP_DecodeBlock forgives much: what it read is compared with what should have been there.
        guard EVP_DecodeBlock(&bytes, text + [UInt8(ascii: "=")], 44) == 33 else {
            ERR_clear_error()
            return nil
        }
        let result = Array(bytes.prefix(32))
        return self.encode(result) == text ? result : nil
    }
}
