import FxferProtocol

extension ServerIdentity {
    /// The identity that `directory` holds, made where there is none; `isNew` tells so. Waits for the disk.
    ///
    /// The directory is made for this user only (0700), with those above it, where it is missing; symbolic links in its
    /// path are followed. The one file in it, `identity.pem` (0600), has the key and a certificate that it signed
    /// itself. It appears whole or not at all, and is never replaced: of two processes that make one at once, both get
    /// that of the first.
    ///
    /// - Throws: `.noInput` where the file is not a whole identity, `.notPermitted` where it belongs to another user,
    ///   others have access to it or this user has none, `.cannotCreate`, `.noSpace`, `.io`.
    public static func loadOrMake(
        in directory: [UInt8]
    ) throws(FxferError) -> (identity: ServerIdentity, isNew: Bool) {
        let folder = try IdentityFolder.open(directory)
        if let identity = try folder.load() { return (identity, false) }
        return try folder.make()
    }
}
