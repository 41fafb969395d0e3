import Testing

@testable import FxferTrust

@Suite struct KeyFingerprintTests {
    // printf abc | openssl dgst -sha256 -binary | base64
    static let ofABC = "SHA256:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0"

    @Test("it is written as SHA256: and base64 without padding")
    func description() {
        #expect(KeyFingerprint(subjectPublicKeyInfo: Array("abc".utf8)).description == Self.ofABC)
    }

    @Test("what it writes it reads, with the padding of other tools, too")
    func reading() {
        let fingerprint = KeyFingerprint(subjectPublicKeyInfo: Array("abc".utf8))
        #expect(KeyFingerprint(Self.ofABC) == fingerprint)
        #expect(KeyFingerprint(Self.ofABC + "=") == fingerprint)
    }

    @Test(
        "anything else is none",
        arguments: [
            "", "SHA256:", String(ofABC.dropLast()), ofABC + "A", ofABC + "==", ofABC + "\n", " " + ofABC,
            "sha256:" + ofABC.dropFirst(7), String(ofABC.dropFirst(7)), "MD5:" + ofABC.dropFirst(7),
            // The last character has two bits that no digest has.
            ofABC.dropLast() + "1",
            // Of other alphabets, or none at all.
            ofABC.replacing("+", with: "-"), ofABC.replacing("/", with: "_"), ofABC.replacing("+", with: " "),
            ofABC.replacing("+", with: "="), ofABC.replacing("+", with: "\0"), ofABC.replacing("u", with: "ü"),
            ofABC.replacing("n", with: "n\u{301}"), "SHA256:" + String(repeating: "é", count: 43),
            "SHA256:" + String(repeating: "=", count: 43), "SHA256:" + String(repeating: "A", count: 1 << 20),
        ]
    )
    func refused(text: String) {
        #expect(KeyFingerprint(text) == nil)
    }
}
