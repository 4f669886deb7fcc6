#pragma once

#include <string>

#include "replication/session.h"

namespace liteferry {

// What to do when one of both sides is not where the stream left it: a schema changed, a table was
// not watched, a side went back in time. Everything that must be brought right is either copied
// anew or put in doubt, which means compared (Session::suspects). Functions of the engine thread
// over the session's connections.

// Why the stream cannot simply be continued from its position: the source is another database or
// went back in time, or the target stands before the oldest kept change. An Error to throw, or
// nothing.
std::optional<Error> FindRewind(Session& session);

// Why the cluster that answers is not the one that the stream was on: another system identifier, as
// of a dump that was restored elsewhere. Its rows may be of any time, whatever its position says.
// An Error to throw, or nothing.
std::optional<Error> FindOtherCluster(const Session& session);

// Writes down on which cluster and timeline the stream is now; a failover is told.
void NoteCluster(EngineContext& context, Session& session);

// Continues the stream from the newest change of the source, whatever it was at before, with every
// table in doubt. Only after a person (or the configuration) said so: if the source is the wrong
// file, the target becomes equal to the wrong file.
void AdoptSource(EngineContext& context, Session& session);

// Compares what the stream knows of each table with what is there now. Tables that it does not know
// are copied, tables that changed are put in doubt; a table that cannot be taken in becomes a
// problem of the mapping and is not followed.
void ReconcileTables(EngineContext& context, Session& session);

// Puts a table in doubt on the target, so that this outlives the session, and in the session.
void DoubtTable(EngineContext& context, Session& session, const TableMapping& table,
                const std::string& why);

// Whether tables that could not be followed may be by now: the catalogs pair otherwise than the
// session knows. Reads both catalogs.
bool PairingChanged(EngineContext& context, Session& session);

}  // namespace liteferry
