import FxferProtocol

/// What a legacy download wrote: never verified, so that nobody takes its line for a receipt.
struct LegacyResult {
    let output: [UInt8]
    let content: FilePrefix

    private struct Event: Encodable {
        let event = "received"
        let name: String
        let size: UInt64
        let sha256: String
        let verified = false
    }

    /// Writes one line to standard output: `unverified`, the digest of what was written, and the file's name.
    func write(asJSON: Bool) {
        let name = EscapedText.escape(self.output)
        if asJSON {
            let event = Event(name: name, size: self.content.length, sha256: self.content.digest.hex)
            StandardStream.output.write(line: JSONLine.text(event))
        } else {
            StandardStream.output.write(line: "unverified  \(self.content.digest)  \(name)")
        }
    }
}
