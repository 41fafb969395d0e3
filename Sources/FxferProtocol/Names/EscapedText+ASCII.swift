/// The escaped form in which every byte that is not printable ASCII is `\xHH`, also where it is part of a letter.
///
/// What is a printable character grows with each version of Unicode. Text that two programs have to write alike, as what is
/// signed, cannot depend on that.
extension EscapedText {
    /// The escaped form of `bytes` in ASCII.
    package static func ascii(_ bytes: [UInt8]) -> String {
        let backslash = UInt8(ascii: "\\")
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count)
        for byte in bytes {
            switch byte {
            case backslash: text += [backslash, backslash]
            case 0x20..<0x7F: text.append(byte)
            default: text += [backslash, UInt8(ascii: "x"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The bytes of which ``ascii(_:)`` makes `text`; nil where there are none.
    package static func bytes(ofASCII text: String) -> [UInt8]? {
        let backslash = UInt8(ascii: "\\")
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == backslash else {
                bytes.append(byte)
                continue
            }
            switch rest.popFirst() {
            case backslash?:
                bytes.append(backslash)
            case UInt8(ascii: "x")?:
                guard let high = rest.popFirst()?.hexDigitValue,
                    let low = rest.popFirst()?.hexDigitValue
                else { return nil }
                bytes.append(high << 4 | low)
            default:
                return nil
            }
        }
        return Self.ascii(bytes) == text ? bytes : nil
    }
}
