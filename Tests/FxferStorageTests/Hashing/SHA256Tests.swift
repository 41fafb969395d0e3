import FxferProtocol
import FxferStorage
import NIOCore
import Testing

@Suite("SHA-256")
struct SHA256Tests {
    /// FIPS 180-4 examples, as published by NIST's Cryptographic Standards and Guidelines.
    static let vectors: [(message: String, digest: String)] = [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        (
            "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrst"
                + "nopqrstu",
            "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
        ),
        (
            String(repeating: "a", count: 1_000_000),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
        ),
    ]

    /// `#expect` takes no calls on values that cannot be copied.
    private static func digest(of hash: inout SHA256) -> Digest { hash.digest() }

    @Test("published vectors come out", arguments: vectors)
    func whole(message: String, digest: String) {
        var hash = SHA256()
        hash.update(ByteBuffer(string: message))
        #expect(Self.digest(of: &hash).hex == digest)
    }

    @Test("the digest does not depend on how the bytes are cut, nor on being asked in between", arguments: vectors)
    func pieces(message: String, digest: String) {
        var hash = SHA256()
        var rest = ByteBuffer(string: message)
        var size = 1
        while let piece = rest.readSlice(length: min(size, rest.readableBytes)), piece.readableBytes > 0 {
            hash.update(piece)
            _ = hash.digest()
            size = size * 3 + 1
        }
        #expect(Self.digest(of: &hash).hex == digest)
        #expect(Self.digest(of: &hash).hex == digest)
    }

    @Test("a copy and its original go their own ways")
    func copies() {
        var hash = SHA256()
        hash.update(ByteBuffer(string: "a"))
        var copy = hash.copy()
        hash.update(ByteBuffer(string: "bc"))
        copy.update(ByteBuffer(string: "bcd"))
        #expect(Self.digest(of: &hash) == sha256("abc".utf8))
        #expect(Self.digest(of: &copy) == sha256("abcd".utf8))
        copy.become(hash)
        #expect(Self.digest(of: &copy) == sha256("abc".utf8))
    }

    @Test("the hash of nothing is the digest of nothing")
    func nothing() {
        var hash = SHA256()
        hash.update(UnsafeRawBufferPointer(start: nil, count: 0))
        #expect(Self.digest(of: &hash) == Digest.ofNothing)
    }
}
