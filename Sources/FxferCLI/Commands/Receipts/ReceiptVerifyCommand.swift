import ArgumentParser
import Fxfer
import FxferProtocol
import FxferTrust
import Glibc

/// `fxfer receipt verify FILE…`
struct ReceiptVerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Verify receipts, and print what they prove.",
        discussion: """
            Reads each FILE.receipt.json and the signature beside it, and prints the path at the server, the size in \
            bytes, the SHA-256, the time (UTC) and how far the server went to keep it. Status 65 means that one of the \
            two was changed, or that another key signed it. It needs neither the server nor the file.

              fxfer receipt verify proofs/photo.raw.receipt.json
              fxfer receipt verify --server-key SHA256:… proofs/*.receipt.json
            """
    )

    @Argument(
        help: ArgumentHelp("The receipts; the .receipt.sig of each is beside it.", valueName: "name.receipt.json"),
        completion: .file(extensions: ["json"])
    )
    var files: [String]

    @Option(
        help: ArgumentHelp(
            "The key that has to have signed them, as 'fxfer identity' prints it at the server.",
            discussion: "Without it a receipt proves only that who has the key that it names has signed it.",
            valueName: "SHA256:…"
        )
    )
    var serverKey: String?

    @Flag(help: "Write one JSON object a line.")
    var json = false

    func validate() throws {
        if let key = self.serverKey, KeyFingerprint(key) == nil {
            throw ValidationError("--server-key takes SHA256: and 43 characters, as 'fxfer identity' prints them")
        }
    }

    func run() async throws {
        let expected = self.serverKey.flatMap(KeyFingerprint.init)
        var status: Int32 = 0
        var unknown: Set<KeyFingerprint> = []
        for file in self.files {
            let path = RawArgument(text: file).bytes
            do throws(FxferError) {
                let receipt = try KeptReceipt.read(path: path, signedBy: expected)
                let line = ReceiptLine(receipt, in: path, isKeyKnown: expected != nil)
                guard StandardStream.output.write(line: line.text(asJSON: self.json)) else {
                    throw FxferError(.io, "standard output could not be written")
                }
                if expected == nil { unknown.insert(receipt.fingerprint) }
            } catch {
                if self.json { StandardStream.output.write(line: JSONLine.text(ReceiptFailureLine(error, in: path))) }
                StandardStream.error.write(line: "fxfer: \(error.message)")
                if status == 0 { status = ExitStatus.status(for: error.code) }
            }
        }
        for key in unknown.map(\.description).sorted() {
            StandardStream.error.write(
                line:
                    "fxfer: only the receipt's own key was checked, \(key); if that is the server's ('fxfer identity' "
                    + "prints it there), give it with --server-key"
            )
        }
        Glibc.exit(status)
    }
}
