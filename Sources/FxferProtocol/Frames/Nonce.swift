/// 32 random bytes that a side chooses for one connection; proofs of identity are made over both.
package struct Nonce: Hashable, Sendable {
    package static let byteCount = 32

    package let bytes: [UInt8]

    /// Takes exactly ``byteCount`` bytes.
    package init(bytes: [UInt8]) {
        precondition(bytes.count == Self.byteCount, "a nonce has \(Self.byteCount) bytes")
        self.bytes = bytes
    }

    /// A nonce from the system's random numbers.
    package static func random() -> Nonce {
        Nonce(bytes: (0..<Self.byteCount).map { _ in UInt8.random(in: .min ... .max) })
    }
}
