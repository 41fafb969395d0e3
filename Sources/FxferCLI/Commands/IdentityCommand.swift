import ArgumentParser
import FxferProtocol
import FxferTrust

/// `fxfer identity`
struct IdentityCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "identity",
        abstract: "Show by which fingerprint clients know a server.",
        discussion: """
            Prints the fingerprint of the server's key: SHA256: and 43 characters. Clients are shown the same one, and \
            can be given it beforehand. Where there is no identity one is made, which the server then uses.

              fxfer identity
              fxfer identity --identity /var/lib/fxfer-identity
              fxfer identity --certificate > fxfer.pem
              fxfer identity --public-key > key.pem
            """
    )

    @OptionGroup var options: IdentityOptions

    @Flag(help: "Print the certificate, in PEM form, and not the fingerprint.")
    var certificate = false

    @Flag(help: "Print the public key, in PEM form: other programs verify receipts by it.")
    var publicKey = false

    @Flag(help: "Write one JSON object.")
    var json = false

    func validate() throws {
        if self.json, self.certificate {
            throw ValidationError("--json and --certificate do not go together")
        }
        if self.publicKey, self.json || self.certificate {
            throw ValidationError("--public-key does not go with --json or --certificate")
        }
    }

    func run() async throws {
        do {
            let directory = try self.options.directory()
            let (identity, isNew) = try ServerIdentity.loadOrMake(in: directory)
            if isNew {
                StandardStream.error.write(line: "made a new identity in \(EscapedText.escape(directory))")
            }
            guard StandardStream.output.write(bytes: self.text(of: identity, isNew: isNew)) else {
                throw FxferError(.io, "standard output could not be written")
            }
        } catch {
            ExitStatus.exit(error)
        }
    }

    private struct Object: Encodable {
        let event = "identity"
        /// `SHA256:` and 43 characters of base64.
        let fingerprint: String
        /// Whether it was made just now.
        let isNew: Bool
    }

    private func text(of identity: ServerIdentity, isNew: Bool) -> [UInt8] {
        if self.certificate { return identity.certificateChainPEM }
        if self.publicKey { return identity.publicKeyPEM }
        let fingerprint = identity.fingerprint.description
        let line = self.json ? JSONLine.text(Object(fingerprint: fingerprint, isNew: isNew)) : fingerprint
        return Array("\(line)\n".utf8)
    }
}
