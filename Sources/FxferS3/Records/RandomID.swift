/// Names that nobody else takes: 32 hexadecimal digits, 128 random bits.
enum RandomID {
    static func make() -> String {
        HexText.encode((0..<16).map { _ in UInt8.random(in: 0...255) })
    }

    static func isOne(_ text: String) -> Bool {
        HexText.decode(text)?.count == 16
    }
}
