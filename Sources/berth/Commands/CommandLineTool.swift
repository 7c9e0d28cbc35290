internal import ArgumentParser
internal import Glibc
internal import HostModel
internal import Ledger

/// The administrator's side: parses the command line and ends with 0, 1 where something could not
/// be done, 2 where the input was wrong or what a command works on cannot be read (`ExitStatus`).
enum CommandLineTool {
  static func run() -> Int32 {
    do {
      var command = try Berth.parseAsRoot()
      try command.run()
      return 0
    } catch let code as ExitCode {
      return code.rawValue
    } catch let error as LedgerError {
      Terminal.complain(sentence(on: error))
      return 2
    } catch {
      switch Berth.exitCode(for: error) {
      case .success: Berth.exit(withError: error)
      case .validationFailure:
        if let mistyped = MistypedCommand(
          in: Array(CommandLine.arguments.dropFirst()), of: Berth.self)
        {
          Terminal.complain("\(mistyped)")
        } else {
          Terminal.explain(Berth.fullMessage(for: error))
        }
      default: Terminal.complain("\(error)")
      }
      return 2
    }
  }

  /// The ledger is root's alone, so that an ordinary user is told who may read it.
  private static func sentence(on error: LedgerError) -> String {
    guard geteuid() != 0, case .host(let cause) = error,
      ErrorNumber(cause.errno) == .accessDenied
    else { return "\(error)" }
    return "\(error); run this as root"
  }
}
