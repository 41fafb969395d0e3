import CLibcrypto

/// A server's certificate and those that vouch for it.
struct CertificateChain: ~Copyable {
    /// The server's own.
    let leaf: Certificate
    /// All of them in PEM form, the server's own first.
    let pem: [UInt8]

    private init(_ leaf: consuming Certificate, _ pem: [UInt8]) {
        self.leaf = leaf
        self.pem = pem
    }

    /// A chain of one.
    init(_ leaf: consuming Certificate) {
        let output = MemoryBIO()
        leaf.write(pemTo: output)
        self.init(leaf, output.content())
    }

    /// Reads all certificates in `text`, the server's own first; what else is there is passed over.
    static func read(pem text: [UInt8]) throws(PEMFailure) -> CertificateChain {
        let input = MemoryBIO(text)
        let output = MemoryBIO()
        guard let leaf = Self.next(in: input) else { throw PEMFailure.last() }
        leaf.write(pemTo: output)
        while let next = Self.next(in: input) { next.write(pemTo: output) }
        let end = PEMFailure.last()
        guard case .missing = end else { throw end }
        return CertificateChain(leaf, output.content())
    }

    /// The next certificate; nil at the end or where it cannot be read, which libcrypto's last error tells apart.
    private static func next(in input: borrowing MemoryBIO) -> Certificate? {
        let pointer = PEM_read_bio_X509(input.pointer, nil, noPassword, nil)
        guard let object = CryptoObject(pointer, freedBy: X509_free) else { return nil }
        return Certificate(object)
    }
}
