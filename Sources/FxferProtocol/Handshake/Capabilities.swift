/// What a side can or may do beyond receiving and sending files: the capability bits of HELLO and WELCOME. Bits that
/// are not known are ignored.
package struct Capabilities: OptionSet, Hashable, Sendable {
    package let rawValue: UInt64

    package init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// The server gives files and listings to this client (GET and LIST).
    package static let share = Capabilities(rawValue: 1)
    /// The client has a token and proves that it knows it; the server takes tokens, and proves that it knows this one.
    package static let proof = Capabilities(rawValue: 2)
    /// The client wants signed receipts; the server signs those of files.
    package static let receipts = Capabilities(rawValue: 4)
    /// The client says for each file how durable it has to become; the server does that, and says what it did.
    package static let levels = Capabilities(rawValue: 8)
}
