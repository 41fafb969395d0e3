/// A receipt that proves to anybody what the server said: verified by its key when it came in.
public struct SignedReceipt: Hashable, Sendable {
    /// One line of JSON that says what is stored, in the very bytes that are signed.
    public let statement: [UInt8]
    /// The signature: ECDSA on P-256 with SHA-256, in DER.
    public let signature: [UInt8]
}
