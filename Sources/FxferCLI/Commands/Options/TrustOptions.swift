import ArgumentParser
import Fxfer
import FxferProtocol
import Glibc

/// How a client makes sure of the server, and how it proves itself.
struct TrustOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The token that the server's operator gave you; or the variable FXFER_TOKEN.",
            discussion: "Both sides prove that they know it; it never crosses the network.",
            valueName: "file"
        ),
        completion: .file()
    )
    var tokenFile: String?

    @Option(
        help: ArgumentHelp(
            "The server's key, as 'fxfer identity' prints it there.",
            discussion: "Without this and --ca, the key of the first contact is believed and remembered.",
            valueName: "SHA256:…"
        )
    )
    var serverKey: String?

    @Option(
        help: ArgumentHelp(
            "Believe certificates for the server's host name that these authorities (PEM) have signed.",
            valueName: "file"
        ),
        completion: .file()
    )
    var ca: String?

    @Flag(help: "Let bytes leave this machine in the clear; the server has to allow it, too (--allow-plaintext).")
    var plaintext = false

    func validate() throws {
        // Not by its type: the parser would quote what may be a token by mistake.
        if let key = self.serverKey, KeyFingerprint(key) == nil {
            throw ValidationError("--server-key takes SHA256: and 43 characters, as 'fxfer identity' prints them")
        }
        if self.serverKey != nil, self.ca != nil {
            throw ValidationError("--server-key and --ca are two ways to know the server; choose one")
        }
        if self.plaintext, self.serverKey != nil || self.ca != nil {
            throw ValidationError("--plaintext shows no key or certificate; leave out --server-key and --ca")
        }
    }

    /// - Parameters:
    ///   - isQuiet: whether the user wants no remarks.
    ///   - json: whether standard output gets JSON.
    func security(isQuiet: Bool, json: Bool) throws(FxferError) -> ClientSecurity {
        var security = ClientSecurity(trust: self.trust)
        security.token = try self.token
        security.allowsPlaintext = self.plaintext
        let hostsFile = UserFolders.knownHosts.map { EscapedText.escape($0) }
        security.onFirstContact = { contact in
            if json {
                StandardStream.output.write(line: JSONLine.text(FirstContactLine(contact)))
            }
            // What is believed without a proof is told in any case.
            if !isQuiet || !contact.isProven {
                StandardStream.error.write(line: Self.remark(on: contact, hostsFile))
            }
        }
        return security
    }

    /// Whether nothing was asked for.
    var isEmpty: Bool {
        self.tokenFile == nil && self.serverKey == nil && self.ca == nil && !self.plaintext
    }

    private var trust: ServerTrust {
        if let key = self.serverKey.flatMap(KeyFingerprint.init) { return .key(key) }
        if let file = self.ca { return .authorities(file: RawArgument(text: file).bytes) }
        return .knownHosts(UserFolders.knownHosts.map { KnownHosts(path: $0) })
    }

    private var token: Token? {
        get throws(FxferError) {
            if let file = self.tokenFile {
                let path = RawArgument(text: file).bytes
                try TokenArgument.check(path)
                return try TokenList.loadToken(path: path)
            }
            return try getenv("FXFER_TOKEN").map { value throws(FxferError) in
                try Token(environment: String(cString: value))
            }
        }
    }

    private static func remark(on contact: FirstContact, _ hostsFile: String?) -> String {
        let proof =
            contact.isProven
            ? "; it has proven that it knows the token"
            : "; compare it with the one that the server printed at its start"
        let memory =
            switch contact.failure {
            case nil: "it is remembered in \(hostsFile ?? "known_hosts")"
            case let failure?: "it cannot be remembered: \(failure.message)"
            }
        return "fxfer: first contact with \(contact.server): its key is \(contact.fingerprint)\(proof); \(memory)"
    }
}
