import ArgumentParser
import Fxfer
import FxferProtocol

/// Who may connect to a server, and how it proves itself.
struct AccessOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Let in, from everywhere, only those who have a token of this file: NAME:TOKEN[:upload,read,list] a line.",
            discussion: "'fxfer token' makes one. SIGHUP has the file read again.",
            valueName: "file"
        ),
        completion: .file()
    )
    var tokenFile: String?

    @Flag(help: "Let everyone in who can reach the server, without a token.")
    var open = false

    @OptionGroup
    var identity: IdentityOptions

    @Option(
        help: ArgumentHelp("A certificate chain (PEM) to show instead; with --key.", valueName: "file"),
        completion: .file()
    )
    var cert: String?

    @Option(help: ArgumentHelp("The certificate's key (PEM).", valueName: "file"), completion: .file())
    var key: String?

    @Flag(help: "Take bytes from other machines in the clear, too, where clients ask for it (--plaintext).")
    var allowPlaintext = false

    func validate() throws {
        if self.open, self.tokenFile != nil {
            throw ValidationError("--open lets everyone in, --token-file only some; choose one")
        }
        if self.allowPlaintext, !self.open, self.tokenFile == nil {
            throw ValidationError("--allow-plaintext lets nobody in by itself; give --token-file or --open, too")
        }
        if (self.cert == nil) != (self.key == nil) {
            throw ValidationError("--cert and --key go together")
        }
        if self.cert != nil, self.identity.identity != nil {
            throw ValidationError("--identity and --cert are two ways to say who the server is; choose one")
        }
    }

    /// What the files say.
    struct Loaded {
        let rule: AccessRule
        let identity: ServerIdentity?
        let allowsPlaintext: Bool
        /// The path of the file with the tokens, as the file system knows it.
        let tokenFile: [UInt8]?
        /// Why no TLS is spoken, where it is not.
        let remark: String?

        func apply(to configuration: inout ServerConfiguration) {
            configuration.access = self.rule
            configuration.identity = self.identity
            configuration.allowsPlaintext = self.allowsPlaintext
        }
    }

    /// Reads the files.
    ///
    /// - Parameter directory: what clients reach of this machine; nothing that is secret may lie in it.
    func load(serving directory: [UInt8]?) throws(FxferError) -> Loaded {
        let tokenFile = self.tokenFile.map { RawArgument(text: $0).bytes }
        let keyPlace = self.key.map { RawArgument(text: $0).bytes } ?? (try? self.identity.directory())
        if let directory {
            for secret in [tokenFile, keyPlace].compactMap({ $0 }) {
                try SecretPlace.check(secret, outside: directory)
            }
        }
        if let tokenFile { try TokenArgument.check(tokenFile) }
        let tokens = try tokenFile.map { file throws(FxferError) in try TokenList.load(path: file) }
        let rule = tokens.map { AccessRule.tokens(AcceptedTokens($0)) } ?? (self.open ? .everyone : .ownMachine)
        let (identity, remark) = try self.loadIdentity(rule)
        return Loaded(
            rule: rule,
            identity: identity,
            allowsPlaintext: self.allowPlaintext,
            tokenFile: tokenFile,
            remark: remark
        )
    }

    private func loadIdentity(_ rule: AccessRule) throws(FxferError) -> (ServerIdentity?, remark: String?) {
        if let cert = self.cert, let key = self.key {
            let (cert, key) = (RawArgument(text: cert).bytes, RawArgument(text: key).bytes)
            return (try ServerIdentity.load(certificate: cert, key: key), nil)
        }
        do throws(FxferError) {
            return (try ServerIdentity.loadOrMake(in: self.identity.directory()).identity, nil)
        } catch {
            // Programs on this machine need no TLS; to be told that they are not let in, others would.
            guard case .ownMachine = rule, self.identity.identity == nil else { throw error }
            return (nil, "\(error.message); TLS is off")
        }
    }
}
