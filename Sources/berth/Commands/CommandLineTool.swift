internal import ArgumentParser

/// The administrator's side: parses the command line and ends with 0, 1 where something could not
/// be done, 2 where the input was wrong.
enum CommandLineTool {
  static func run() -> Int32 {
    do {
      var command = try Berth.parseAsRoot()
      try command.run()
      return 0
    } catch let code as ExitCode {
      return code.rawValue
    } catch {
      let code = Berth.exitCode(for: error)
      if code == .validationFailure || code == .success { Berth.exit(withError: error) }
      Terminal.complain("\(error)")
      return 2
    }
  }
}
