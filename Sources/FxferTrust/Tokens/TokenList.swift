import FxferProtocol

/// The tokens that a server accepts.
public struct TokenList: Sendable {
    /// At least one and at most 1,000, no name and no token twice.
    public let entries: [Entry]

    static let maxCount = 1000

    /// A list of these, which the caller knows to be in order.
    package init(entries: [Entry]) {
        self.entries = entries
    }
}

extension TokenList {
    /// The entry whose token a client has proved to know; nil for none.
    ///
    /// Takes the same time for any proof: every entry is compared, the last one included.
    package func entry(
        proving proof: Digest,
        nonces: Nonces,
        certificate: Digest
    ) -> Entry? {
        var found: Entry?
        for entry in self.entries {
            let expected = Proof.make(
                token: entry.token,
                role: .client,
                nonces: nonces,
                certificate: certificate
            )
            found = Proof.equal(proof, expected) ? entry : found
        }
        return found
    }
}
