"""Spanish, as it is read in Spain and in Latin America: «video», and neither «tú» nor «usted»."""

from handlers.domain.languages.language import Language

_MAILS = {
    "A video was flagged. Found:": "Se marcó un video. Hallazgos:",
    "  {percent}  {label}, first at {time}, about {length} in all": (
        "  {percent}  {label}, por primera vez en {time}, unos {length} en total"
    ),
    "{label} ({parent})": "{label}, dentro de {parent}",
    "{seconds} s": "{seconds} s",
    "  and {count} more {count:label|labels}": "  y {count} {count:etiqueta|etiquetas} más",
    "  and {count} more {count:segment|segments}": "  y {count} {count:segmento|segmentos} más",
    "  and {count} more {count:video|videos}": "  y {count} {count:video|videos} más",
    "When (h:mm:ss):": "Cuándo (h:mm:ss):",
    "Where:": "Dónde:",
    "  duration {time}": "  duración {time}",
    "  duration unknown": "  duración desconocida",
    "  looked at as an image": "  revisado como imagen",
    "  looked at by frames, every {seconds} s: shorter scenes may be missed": (
        "  revisado por fotogramas, cada {seconds} s: las escenas más cortas pueden pasar inadvertidas"
    ),
    "  damaged: decoded up to {time}, not all of the rest was looked at": (
        "  dañado: decodificado hasta {time}, no todo el resto se revisó"
    ),
    "  version {version}": "  versión {version}",
    "  (the key holds characters that cannot be printed; they are shown escaped)": (
        "  (la clave contiene caracteres que no se pueden imprimir; se muestran como secuencias de escape)"
    ),
    "What to do next:": "Qué hacer ahora:",
    "What to do next, one of these:": "Qué hacer ahora, una de dos:",
    "  look at it: {link}": "  verlo: {link}",
    "  or fetch it: {command}": "  o descargarlo: {command}",
    "  the whole scan: {command}": "  el escaneo completo: {command}",
    "video": "video",
    "Flagged: {what} in ": "Marcado: {what} en ",
    "Scan cancelled: ": "Escaneo cancelado: ",
    "Scan finished: ": "Escaneo terminado: ",
    "Scan ended early: ": "Escaneo incompleto: ",
    "{videos} {videos:video|videos}, {flagged} flagged, {failed} failed": (
        "{videos} {videos:video|videos}, {flagged} {flagged:marcado|marcados}, {failed} {failed:fallido|fallidos}"
    ),
    ", {count} ineligible": ", {count} no {count:apto|aptos}",
    ", {count} without record": ", {count} sin registro",
    "The scan {scan} of {bucket} is cancelled.": "El escaneo {scan} de {bucket} se canceló.",
    "The scan {scan} of {bucket} is finished.": "El escaneo {scan} de {bucket} terminó.",
    "Its batch job {job} ended with the status {status}.": "Su trabajo por lotes {job} terminó en estado {status}.",
    "without record": "sin registro",
    "objects": "objetos",
    "Without record: not looked at, because they are not videos or their task failed or never ran; "
    "or rows that the manifest has twice.": (
        "Sin registro: sin revisar, porque no son videos o porque su tarea falló o no llegó a ejecutarse; "
        "o filas repetidas en el manifiesto."
    ),
    "Left out when it was submitted, because they cannot be analysed: {reasons}.": (
        "Excluidos al enviar el escaneo, porque no se pueden analizar: {reasons}."
    ),
    "Not known: whether there are objects with other suffixes, because the scan did not count them.": (
        "Se desconoce si hay objetos con otros sufijos, porque el escaneo no los contó."
    ),
    "Not part of the scan because of {count:its suffix|their suffixes}: {count} {count:object|objects} ({list}).": (
        "Fuera del escaneo por su sufijo: {count} {count:objeto|objetos} ({list})."
    ),
    "{count} of them {count:looks like a video|look like videos} ({list}): submit a scan with --suffix to include them.": (
        "{count} de ellos {count:parece un video|parecen videos} ({list}): un escaneo con --suffix {count:lo|los} incluye."
    ),
    "{count} without a suffix": "{count} sin sufijo",
    "{count} with other suffixes": "{count} con otros sufijos",
    "Flagged, highest confidence first:": "Marcados, de mayor a menor confianza:",
    "Flagged, highest confidence first, among those that were looked at (there are too many to look at all):": (
        "Marcados, de mayor a menor confianza, entre los que se consultaron (son demasiados para consultarlos todos):"
    ),
    "{label} at {time}": "{label} en {time}",
    "Failed, by reason:": "Fallidos, por motivo:",
    "Ineligible, by reason:": "No aptos, por motivo:",
    "for other reasons": "por otros motivos",
    "Analysed: {minutes} minutes of video, about ${total} for Rekognition "
    "(${price} a minute in us-east-1, not checked with AWS).": (
        "Analizados: {minutes} minutos de video, unos {total} USD de Rekognition "
        "({price} USD por minuto en us-east-1, sin comprobar con AWS)."
    ),
    "Analysed: {images} {images:image|images}, about ${total} for Rekognition "
    "(${price} an image in us-east-1, not checked with AWS).": (
        "{images:Analizada|Analizadas}: {images} {images:imagen|imágenes}, unos {total} USD de Rekognition "
        "({price} USD por imagen en us-east-1, sin comprobar con AWS)."
    ),
    "  every object: {command}": "  todos los objetos: {command}",
    "{count} flagged {count:video|videos} of the scan {scan} of {bucket} {count:has|have} been mailed.": (
        "{count:Se envió por correo|Se enviaron por correo} {count} {count:video marcado|videos marcados} "
        "del escaneo {scan} de {bucket}."
    ),
    "That is the limit (`mails_per_scan` in cdk.json).": "Ese es el límite (`mails_per_scan` en cdk.json).",
    "The scan goes on, but no more videos are mailed one by one: the digest comes when it closes.": (
        "El escaneo continúa, pero ya no se enviarán videos uno por uno: el resumen llegará cuando se cierre."
    ),
    "To look at the scan before then:": "Para ver el escaneo antes de eso:",
    "No more mails about single videos of scan {scan}": "No habrá más correos individuales del escaneo {scan}",
    "The minutes of {day} for uploads to {bucket} are used up: {many}.": (
        "Se agotaron los minutos del {day} para las subidas a {bucket}: {many}."
    ),
    "That is the limit (`max_minutes_per_day` in cdk.json); days are those of UTC.": (
        "Ese es el límite (`max_minutes_per_day` en cdk.json); los días son los de UTC."
    ),
    "Nothing is lost: they are analysed on the next day, as far as its minutes go. Running analyses finish.": (
        "No se pierde nada: se analizan al día siguiente, hasta donde alcancen sus minutos. Los análisis en curso terminan."
    ),
    "To have them analysed today, without a limit:": "Para que se analicen hoy, sin límite:",
    "Uploads wait: the minutes of {day} are used up ({bucket})": "Subidas en espera: se agotaron los minutos del {day} ({bucket})",
    "Uploads of {day}: ": "Subidas del {day}: ",
    "The scan {scan} of the uploads of {day} to {bucket} is finished.": (
        "El escaneo {scan} de las subidas del {day} a {bucket} terminó."
    ),
    "No event brought {count} {count:upload|uploads}: the daily comparison of the bucket found {count:it|them}.": (
        "Ningún evento avisó de {count} {count:subida|subidas}: la comparación diaria del bucket {count:la|las} encontró."
    ),
    "{count} {count:upload|uploads} had to wait, because the minutes of a day were used up (`max_minutes_per_day` in cdk.json).": (
        "{count} {count:subida tuvo|subidas tuvieron} que esperar, porque se agotaron los minutos de un día "
        "(`max_minutes_per_day` en cdk.json)."
    ),
    "{count} flagged {count:video is|videos are} not listed, because another upload has replaced {count:it|them}.": (
        "{count} {count:video marcado no figura|videos marcados no figuran} en la lista, porque otra subida "
        "{count:lo|los} reemplazó."
    ),
    "  every upload: {command}": "  todas las subidas: {command}",
    "more than {count} videos still wait": "más de {count} videos siguen en espera",
    "{count} {count:video|videos} still {count:waits|wait}": "{count} {count:video sigue|videos siguen} en espera",
    "its batch job ended early": "su trabajo por lotes terminó antes de tiempo",
    "its batch job {job} is {status}": "su trabajo por lotes {job} está {status}",
    "The scan {scan} of {bucket} is paused: {reason}.": "El escaneo {scan} de {bucket} está en pausa: {reason}.",
    "Of what it had registered, {many}.": "De lo que se había registrado, {many}.",
    "  analyse them: {command}": "  analizarlos: {command}",
    "  cancel them:  {command}": "  cancelarlos: {command}",
    "Running analyses finish in either case; what the job had not registered is not scanned.": (
        "Los análisis en curso terminan en ambos casos; lo que el trabajo no había registrado no se escanea."
    ),
    "Scan paused: {many}": "Escaneo en pausa: {many}",
    "someone": "alguien",
    "no reason was given": "no se indicó el motivo",
    "No analyses are being started: paused by {by}.": "No se inician análisis: en pausa por {by}.",
    "Reason: {reason}": "Motivo: {reason}",
    "Nothing is lost and nothing is paid for in the meantime: the videos wait, and running analyses finish.": (
        "Entretanto no se pierde ni se paga nada: los videos esperan, y los análisis en curso terminan."
    ),
    "  fix the cause (a permission, a role, a parameter; the log of start_analysis has each refusal)": (
        "  corregir la causa (un permiso, un rol, un parámetro; el registro de start_analysis contiene cada rechazo)"
    ),
    "  then resume: {command}": "  y después reanudar: {command}",
    "Starting is paused: {reason}": "Inicio de análisis en pausa: {reason}",
    "S3's reason: {reason}": "Motivo que da S3: {reason}",
    "  what its batch job never got to: submit it as a new scan": (
        "  lo que su trabajo por lotes no llegó a intentar: enviarlo como un escaneo nuevo"
    ),
    "  what its batch job never got to, once the cause is fixed: {command}": (
        "  lo que su trabajo por lotes no llegó a intentar, una vez corregida la causa: {command}"
    ),
    "Completion notices did not arrive: the sweeper had to ask for {count} {count:result|results}; "
    "{final} {final:video is|videos are} final.": (
        "No llegaron los avisos de finalización: el barrido tuvo que pedir {count} {count:resultado|resultados}; "
        "{final} {final:video tiene|videos tienen} estado definitivo."
    ),
    "Nothing is lost: the sweeper asks Rekognition instead. But results come late, and jobs stay unused meanwhile.": (
        "No se pierde nada: el barrido pregunta a Rekognition en su lugar. Pero los resultados llegan tarde, y entretanto quedan "
        "trabajos sin usar."
    ),
    "  look at the log of the function completion, and at its dead letters: does it fail?": (
        "  mirar el registro de la función completion y su cola de mensajes fallidos: ¿falla?"
    ),
    "  is it never invoked? `make deploy` restores its subscription, and the role of the notices": (
        "  ¿no se invoca nunca? `make deploy` restablece su suscripción y el rol de los avisos"
    ),
    "  dead letters, once the cause is fixed: {command}": "  mensajes fallidos, una vez corregida la causa: {command}",
    "Completion notices of scan {scan} do not arrive": "No llegan los avisos de finalización del escaneo {scan}",
}

_WARNINGS = {
    "Put again and again with the same bytes, and analysed {most} times: {count} {count:upload|uploads}. What was put after that "
    "was not analysed, so look at {count:it|them} yourself.": (
        "Se {count:subió|subieron} una y otra vez con los mismos bytes y se {count:analizó|analizaron} {most} veces: {count} "
        "{count:archivo|archivos}. Lo subido después no se analizó; conviene {count:revisarlo|revisarlos} a mano."
    ),
    "Records found: {found}; by the totals of the scan there are {expected}. The index lags, or videos are just ending: "
    "run the review again in a minute.": (
        "Registros encontrados: {found}; según los totales del escaneo hay {expected}. El índice va con retraso, o hay videos que "
        "están terminando: conviene repetir la revisión en un minuto."
    ),
    "The manifest has {rows} {rows:row|rows}, the scan was submitted with {expected}: was it replaced?": (
        "El manifiesto tiene {rows} {rows:fila|filas}, pero el escaneo se creó con {expected}: ¿se reemplazó?"
    ),
    "Not in the manifest, but in the completion report: {objects} {objects:object|objects}. Is it another scan's?": (
        "En el informe de finalización, pero no en el manifiesto: {objects} {objects:objeto|objetos}. ¿Es de otro escaneo?"
    ),
    "Accepted by its batch task, but without a record: {objects} {objects:object|objects}. Please report this defect.": (
        "Aceptado por su tarea por lotes, pero sin registro: {objects} {objects:objeto|objetos}. Conviene informar de este defecto."
    ),
    "Repeated in the manifest: {rows} {rows:row|rows}. An object in two rows has one record.": (
        "Repetido en el manifiesto: {rows} {rows:fila|filas}. Un objeto que está en dos filas tiene un solo registro."
    ),
    "Of {possible} evidence frames {frames} are on the page, the surest ones, to keep it below {limit} MB.": (
        "De {possible} fotogramas de prueba {frames} están en la página, los más seguros, para que no pase de {limit} MB."
    ),
    "Without evidence frames: {count} {count:video|videos}. The first reason: {reason}": (
        "Sin fotogramas de prueba: {count} {count:vídeo|vídeos}. El primer motivo: {reason}"
    ),
    "The scan is {status}, not closed: the counts may still change.": (
        "El escaneo está {status}, no cerrado: las cifras aún pueden cambiar."
    ),
    "An object without a record counts as never attempted, though it may have been skipped; retrying it costs nothing then.": (
        "Un objeto sin registro cuenta como sin intentar, aunque quizá se omitió; en ese caso, reintentarlo no cuesta nada."
    ),
    "Job {job} has no completion report: it is not over yet, or ended before its first task.": (
        "El trabajo {job} no tiene informe de finalización: aún no terminó, o terminó antes de su primera tarea."
    ),
    "Job {job} ended ({status}) without a completion report. {unreported}": (
        "El trabajo {job} terminó ({status}) sin informe de finalización. {unreported}"
    ),
    "The report of job {job} has only rows of failed tasks: either no task succeeded, or the job reports only failed tasks. "
    "{unreported}": (
        "El informe del trabajo {job} solo tiene filas de tareas fallidas: o ninguna tarea tuvo éxito, o el trabajo solo informa "
        "de las fallidas. {unreported}"
    ),
    "The report of job {job} lacks the rows of its {tasks} succeeded {tasks:task|tasks}: the job reports only failed tasks. "
    "{unreported}": (
        "Al informe del trabajo {job} le faltan las filas de {tasks} {tasks:tarea exitosa|tareas exitosas}: el trabajo solo "
        "informa de las fallidas. {unreported}"
    ),
    "The report of job {job} has {rows} {rows:row|rows}, but {known} of its tasks ended. {unreported}": (
        "El informe del trabajo {job} tiene {rows} {rows:fila|filas}, pero terminaron {known} de sus tareas. {unreported}"
    ),
    "Jobs of this scan that were not submitted: {missing} of {planned}. `python tools/control_scan.py cancel {scan}` ends it.": (
        "Trabajos del escaneo que no se crearon: {missing} de {planned}. `python tools/control_scan.py cancel {scan}` lo termina."
    ),
    "Batch job {job} {ended} before it had attempted every object{attempted}: {reasons}. {cure}": (
        "El trabajo por lotes {job} {ended} antes de intentar todos los objetos{attempted}: {reasons}. {cure}"
    ),
    "has failed": "falló",
    "was cancelled": "se canceló",
    "no reason is known": "no se conoce el motivo",
    " ({attempted} of {tasks} were, {failed} failed)": " (se intentaron {attempted} de {tasks}; fallidos: {failed})",
    "Submit what is missing as a new scan.": "Lo que falta se puede enviar como un escaneo nuevo.",
    "What it had registered waits: `{resume}` analyses it, `{cancel}` ends the scan.": (
        "Lo que había registrado espera: `{resume}` lo analiza, `{cancel}` termina el escaneo."
    ),
    "Fix the cause; `{retry}` then scans what it never got to.": (
        "Una vez corregida la causa, `{retry}` retoma lo que no llegó a intentar."
    ),
    "Completion notices did not arrive, so results came late and jobs stayed unused: the sweeper had to ask for {count} "
    "{count:result|results}; {final} {final:video is|videos are} final. Look at the log and the dead letters of the function "
    "`completion`; where it is never invoked, `make deploy` restores its subscription.": (
        "No llegaron los avisos de finalización, así que los resultados llegaron tarde y quedaron trabajos sin usar: el barrido "
        "tuvo que pedir {count} {count:resultado|resultados}; {final} {final:video tiene|videos tienen} estado definitivo. "
        "Conviene mirar el registro y los mensajes fallidos de la función `completion`; si no se invoca nunca, `make deploy` "
        "restablece su suscripción."
    ),
    "No one has been mailed since {since}: the alerts topic has no confirmed e-mail subscription. "
    "To subscribe again: `{subscribe}`, then open the link in the mail that arrives.": (
        "Nadie recibe correos desde {since}: el tema de alertas no tiene ninguna suscripción de correo confirmada. "
        "Para suscribirse de nuevo: `{subscribe}`, y después abrir el enlace del correo que llega."
    ),
    "From {since} to {until} no one was mailed, because the alerts topic had no confirmed e-mail subscription: "
    "what was sent then is only here.": (
        "Desde {since} hasta {until} nadie recibió correos, porque el tema de alertas no tenía ninguna suscripción de correo "
        "confirmada: lo que se envió entonces solo está aquí."
    ),
}

# States, as they stand beside a video or beside a number.
_STATES = {
    "clean": "limpio",
    "flagged": "marcado",
    "failed": "fallido",
    "ineligible": "no apto",
    "cancelled": "cancelado",
    "running": "en curso",
    "waiting": "en espera",
    "skipped": "omitido",
    "never attempted": "sin intentar",
    "superseded": "reemplazado",
    "lost": "perdido",
    "open": "abierto",
    "paused": "en pausa",
    "closed": "cerrado",
}

_PAGE = {
    "Review of scan {scan}": "Revisión del escaneo {scan}",
    "Video moderation review": "Revisión de la moderación de videos",
    "Skip to the videos": "Ir a los videos",
    "This page needs JavaScript, which is switched off in this browser. The page loads nothing from anywhere.": (
        "Esta página necesita JavaScript, que está desactivado en este navegador. La página no carga nada de ningún sitio."
    ),
    "Scan of {bucket}": "Escaneo de {bucket}",
    "Uploads of {day} to {bucket}": "Subidas del {day} a {bucket}",
    "submitted {time}": "enviado el {time}",
    "as of {time}": "a fecha de {time}",
    "{year}-{month}-{day} {time} UTC": "{day}/{month}/{year} {time} UTC",
    "Summary": "Resumen",
    "{flagged} {flagged:video was|videos were} flagged": "{flagged:Se marcó|Se marcaron} {flagged} {flagged:video|videos}",
    "Nothing was flagged": "No se marcó ningún video",
    "Nothing was flagged.": "No se marcó ningún video.",
    ", {failed} failed": ", {failed} {failed:falló|fallaron}",
    ", {count} could not be analysed as {count:it is|they are}": (
        ", {count} no se {count:pudo|pudieron} analizar tal como {count:está|están}"
    ),
    ", {superseded} superseded by another upload": (", {superseded} {superseded:reemplazado|reemplazados} por otra subida"),
    ", {skipped} skipped and so not looked at": (
        ", {skipped} {skipped:se omitió|se omitieron} y por tanto {skipped:quedó|quedaron} sin revisar"
    ),
    "The one object is accounted for.": "El único objeto está contabilizado.",
    "All {objects} objects are accounted for.": "Los {objects} objetos están contabilizados.",
    "The {objects} {objects:object does|objects do} not add up: see the warnings.": (
        "{objects:El|Los} {objects} {objects:objeto no cuadra|objetos no cuadran}; véanse las advertencias."
    ),
    "The counts add up to {objects} of {expected} objects: see the warnings.": (
        "{objects} de {expected} objetos: no cuadran; véanse las advertencias."
    ),
    "Flagged": "Marcados",
    "Failed": "Fallidos",
    "Ineligible": "No aptos",
    "Superseded": "Reemplazados",
    "Not final": "Sin estado definitivo",
    "Video analysed": "Video analizado",
    "Estimated cost": "Costo estimado",
    "{share} of all objects": "{share} de todos los objetos",
    "cannot be analysed as they are: empty, archived, too large, another codec …": (
        "no se pueden analizar tal como están: vacíos, archivados, demasiado grandes, otro códec…"
    ),
    "nothing empty, archived, too large, in another codec …": "nada vacío, archivado, demasiado grande, con otro códec…",
    "still under way, or never attempted": "aún en curso o sin intentar",
    "every object has its verdict": "cada objeto tiene su veredicto",
    "{minutes} {minutes:minute|minutes}": "{minutes} {minutes:minuto|minutos}",
    "by the price table, before taxes": "según la tabla de precios, sin impuestos",
    "Every object, by status": "Todos los objetos, por estado",
    "Flagged videos by what was found": "Videos marcados, por hallazgo",
    "Flagged videos by confidence": "Videos marcados, por confianza",
    " {count:video|videos}": " {count:video|videos}",
    "Best confidence of each flagged video, {list}": "Mayor confianza de cada video marcado, {list}",
    "from {from} %: {count} {count:video|videos}": "desde {from} %: {count} {count:video|videos}",
    "none": "ninguna",
    "Other labels": "Otras etiquetas",
    "How the cost was estimated": "Cómo se estimó el costo",
    "Only analyses that ended are counted; the final cost is on the AWS bill.": (
        "Solo se cuentan los análisis terminados; el costo definitivo está en la factura de AWS."
    ),
    "{minutes} minutes analysed": "{minutes} minutos analizados",
    "{images} {images:image|images} analysed": "{images} {images:imagen analizada|imágenes analizadas}",
    "{jobs} S3 Batch Operations {jobs:job|jobs}": "{jobs} {jobs:trabajo|trabajos} de S3 Batch Operations",
    "{tasks} {tasks:object of a job|objects of jobs}": "{tasks} {tasks:objeto de un trabajo|objetos de trabajos}",
    "{dollars} per {unit}, from {source} ({date}); look it up at {page}": (
        "{dollars} por {unit}; leído en {source} ({date}), consultable en {page}"
    ),
    "${amount}": "{amount} USD",
    "less than ${amount}": "menos de {amount} USD",
    "undated": "sin fecha",
    "S3 Batch Operations job": "trabajo de S3 Batch Operations",
    "million objects of a job": "millón de objetos de un trabajo",
    "minute of stored video, content moderation": "minuto de video almacenado, moderación de contenido",
    "aws-samples/sample-replicate-on-tag-for-amazon-s3, docs/cost.md": (
        "aws-samples/sample-replicate-on-tag-for-amazon-s3, docs/cost.md"
    ),
    "several pages of third parties": "varias páginas de terceros",
    "image, the first million of a month": "imagen, el primer millón de un mes",
    "api-evangelist/amazon-rekognition, plans": "api-evangelist/amazon-rekognition, planes",
    "Videos to look at": "Videos por revisar",
    "Filter the videos": "Filtrar los videos",
    "Search": "Buscar",
    "Key begins with": "La clave empieza por",
    "Status": "Estado",
    "All of these": "Todos estos",
    "Label": "Etiqueta",
    "Any label": "Cualquier etiqueta",
    "{label} (all)": "{label} (todas)",
    "Confidence from": "Confianza desde",
    "Decision": "Decisión",
    "Any": "Cualquiera",
    "Undecided": "Sin decidir",
    "Confirmed, missed or found": "Confirmado, pasado por alto o hallado",
    "False alarm or cleared": "Falsa alarma o descartado",
    "Clean: the sample": "Limpio: la muestra",
    "False alarm": "Falsa alarma",
    "Sort by": "Ordenar por",
    "Clear filters": "Quitar filtros",
    "{all} {all:video|videos}": "{all} {all:video|videos}",
    "{found} of {all} {all:video|videos}": "{found} de {all} {all:video|videos}",
    ", the first {rows} are printed": ", se imprimen los primeros {rows}",
    "No video matches ({all} {all:video|videos} in all).": "Ningún video coincide ({all} {all:video|videos} en total).",
    "Page {page} of {pages}": "Página {page} de {pages}",
    "Pages of the list": "Páginas de la lista",
    "Previous": "Anterior",
    "Next": "Siguiente",
    "This page has no room for {left}. All are in the output of {command}": (
        "En esta página no caben {left}. Todos están en la salida de {command}"
    ),
    "{flagged} flagged of lower confidence": "{flagged} {flagged:marcado|marcados} de menor confianza",
    "{failed} failed": "{failed} {failed:fallido|fallidos}",
    "{ineligible} ineligible": "{ineligible} no {ineligible:apto|aptos}",
    "{superseded} superseded": "{superseded} {superseded:reemplazado|reemplazados}",
    " and ": " y ",
    "Keys": "Teclas",
    "While the focus is in the list:": "Mientras el foco está en la lista:",
    "next video": "video siguiente",
    "previous video": "video anterior",
    "open or close its details": "abrir o cerrar sus detalles",
    "close the details": "cerrar los detalles",
    "confirm: something is there": "confirmar: hay algo",
    "false alarm: nothing is there": "falsa alarma: no hay nada",
    # What a person decided, by the status of the video.
    "confirmed": "confirmado",
    "false alarm": "falsa alarma",
    "missed": "pasado por alto",
    "found": "hallado",
    "cleared": "descartado",
    "write a note": "escribir una nota",
    " {count} more {count:was|were} not written.": " {count} más no se {count:escribió|escribieron}.",
    "About {count} {count:video|videos} no decision can be taken.": "Sobre {count} {count:video|videos} no se puede decidir.",
    "Blurred and grey": "Borroso y en gris",
    "Cancel": "Cancelar",
    "Cards": "Tarjetas",
    "Close": "Cerrar",
    "Confirm: something is there": "Confirmar: hay algo",
    "Reason for all of them": "Motivo para todos",
    "Decide about all of these …": "Decidir sobre todos estos …",
    "Decide about all videos that the filters leave": "Decidir sobre todos los videos que dejan los filtros",
    "Every decision so far": "Todas las decisiones hasta ahora",
    "False alarm: nothing is there": "Falsa alarma: no hay nada",
    "First enter who decides: the name is written with each decision.": (
        "Primero, indicar quién decide: el nombre se escribe con cada decisión."
    ),
    "List": "Lista",
    "Live: the scan is {status}; decisions are written at once.": (
        "En directo: el análisis está {status}; las decisiones se escriben al momento."
    ),
    "Loop": "Repetir",
    "Moments": "Momentos",
    "Next segment": "Segmento siguiente",
    "No segment comes after this moment.": "Después de este momento no hay ningún segmento.",
    "No segment comes before this moment.": "Antes de este momento no hay ningún segmento.",
    "None.": "Ninguna.",
    "Not written, {name}: {reason}": "No se escribió, {name}: {reason}",
    "Not written: {person} was first about {name}: {decision}, {time}.": (
        "No se escribió: {person} decidió antes sobre {name}: {decision}, {time}."
    ),
    "Frame back": "Fotograma atrás",
    "Frame on": "Fotograma adelante",
    "Pause": "Pausa",
    "Picture at {time}": "Imagen en {time}",
    "Picture at {time}: {label}, {percent}": "Imagen en {time}: {label}, {percent}",
    "Pictures": "Imágenes",
    "Pictures are being read …": "Se están leyendo las imágenes …",
    "Play": "Reproducir",
    "Player": "Reproductor",
    "Position": "Posición",
    "Scan": "Análisis",
    "Segment before": "Segmento anterior",
    "Show {count} new {count:video|videos}": "Mostrar {count} {count:video nuevo|videos nuevos}",
    "Sound": "Sonido",
    "Start it again: review_report.py serve.": "Volver a iniciarla: review_report.py serve.",
    "Taken back": "Retirada",
    "The decision before it was not written.": "La decisión anterior no se escribió.",
    "The desk does not answer.": "La mesa de revisión no responde.",
    "Try again": "Reintentar",
    "The desk does not answer. Start it again: review_report.py serve.": (
        "La mesa de revisión no responde. Volver a iniciarla: review_report.py serve."
    ),
    "The list is used with keys: ? shows them.": "La lista se maneja con teclas: ? las muestra.",
    "The note is written with the decision.": "La nota se escribe con la decisión.",
    "The pictures of this video are blurred and grey again.": "Las imágenes de este video vuelven a estar borrosas y en gris.",
    "The pictures of this video are shown as they are.": "Las imágenes de este video se muestran tal como son.",
    "There is no moment to show.": "No hay ningún momento que mostrar.",
    "There is nothing to undo.": "No hay nada que deshacer.",
    "This browser cannot decode the film: its pictures are read one by one.": (
        "Este navegador no puede descodificar la película: sus imágenes se leen una a una."
    ),
    "Undo": "Deshacer",
    "Videos": "Videos",
    "View": "Vista",
    "While the player is open:": "Mientras el reproductor está abierto:",
    "Worst first": "Primero lo peor",
    "and {count} more": "y {count} más",
    "being written": "escribiéndose",
    "faster, slower": "más rápido, más lento",
    "one frame back, one frame on": "un fotograma atrás, un fotograma adelante",
    "play or pause": "reproducir o pausar",
    "repeat the segment": "repetir el segmento",
    "segment before, next segment": "segmento anterior, segmento siguiente",
    "show the pictures of this video as they are, or blur them again": (
        "mostrar las imágenes de este video tal como son, o volver a difuminarlas"
    ),
    "skip: decide later": "saltar: decidir más tarde",
    "sound on or off": "sonido sí o no",
    "undo the last decision, and those before it": "deshacer la última decisión, y las anteriores",
    "{count} {count:decision|decisions}": "{count} {count:decisión|decisiones}",
    "{count} {count:video is|videos are} decided already and {count:stays|stay} as {count:it is|they are}.": (
        "{count} {count:video ya está decidido y se queda|videos ya están decididos y se quedan} como {count:está|están}."
    ),
    "{count} {count:video|videos} without a decision will get it.": (
        "{count} {count:video sin decisión la recibirá|videos sin decisión la recibirán}."
    ),
    "{decision} by {person}, {time}": "{decision} por {person}, {time}",
    "Speed {speed}": "Velocidad {speed}",
    "Video": "Video",
    "Found": "Hallazgo",
    "Confidence": "Confianza",
    "First seen": "Primera vez",
    "first seen ": "primera vez en ",
    "Timeline": "Línea de tiempo",
    "nothing listed": "nada registrado",
    "recorded": "registrada",
    "note": "nota",
    "Details of {video}": "Detalles de {video}",
    "Length": "Duración",
    "Looked at": "Revisión",
    "as an image": "como imagen",
    "one frame about every {seconds} s, up to {time}": "un fotograma cada {seconds} s, aproximadamente, hasta {time}",
    "by frames, every {seconds} s: shorter scenes may be missed": (
        "por fotogramas, cada {seconds} s: las escenas más cortas pueden pasar inadvertidas"
    ),
    "Decoded up to": "Decodificado hasta",
    "and {count} more {count:label|labels}": "y {count} {count:etiqueta|etiquetas} más",
    "; and {count} more, see the table": "; y {count} más, véase la tabla",
    "{label}, {from} to {to}, {percent}": "{label}, de {from} a {to}, {percent}",
    "{count} {count:segment|segments}": "{count} {count:segmento|segmentos}",
    "Segments": "Segmentos",
    "Time (h:mm:ss)": "Tiempo (h:mm:ss)",
    " in {label}": " en {label}",
    "The {shown} with the highest confidence are shown, {cut} {cut:is|are} left out.": (
        "Se muestran los {shown} de mayor confianza; {cut:queda|quedan} fuera {cut}."
    ),
    " {percent}, {length} in all, first at {time}": " {percent}, {length} en total, por primera vez en {time}",
    " (does not count under the policy)": " (no cuenta según la política)",
    "no reason given": "sin motivo indicado",
    "Confirm": "Confirmar",
    "Something is there": "Hay algo",
    "Nothing is there": "No hay nada",
    "Note": "Nota",
    "The note is kept.": "La nota quedó guardada.",
    "Recorded earlier: {decision} by {person}, {time}": "Registrado antes: {decision} por {person}, {time}",
    "The object": "El objeto",
    "Fetch it": "Descargarlo",
    "command": "comando",
    "The AWS CLI cannot take this key: use the console.": "La CLI de AWS no admite esta clave: hay que usar la consola.",
    "Console": "Consola",
    # What to do about videos without a verdict.
    "upload it again": "subirlo de nuevo",
    "restore it, then {retry}": "restaurarlo y después {retry}",
    "let the functions read it (the bucket's policy, `source_buckets` and `kms_keys` in cdk.json), then {retry}": (
        "permitir que las funciones lo lean (la política del bucket, `source_buckets` y `kms_keys` en cdk.json) y después {retry}"
    ),
    "let Rekognition read it (the bucket's policy, the policy of its key), then {retry}": (
        "permitir que Rekognition lo lea (la política del bucket, la de su clave) y después {retry}"
    ),
    "`make deploy` restores the roles, then {retry}": "`make deploy` restaura los roles; después {retry}",
    "{retry} analyses it, perhaps for a second time": "{retry} lo analiza, quizá por segunda vez",
    "Rekognition takes up to 10 GB: convert it ({command}), upload and scan the new file": (
        "Rekognition admite hasta 10 GB: convertirlo ({command}), subir y analizar el archivo nuevo"
    ),
    "Rekognition takes up to 6 hours: cut it, upload and scan the parts": (
        "Rekognition admite hasta 6 horas: cortarlo, subir y analizar las partes"
    ),
    "Rekognition takes MP4 and MOV: convert it ({command}), upload and scan the new file": (
        "Rekognition admite MP4 y MOV: convertirlo ({command}), subir y analizar el archivo nuevo"
    ),
    "its recording or upload was interrupted: upload it again, and scan it": (
        "su grabación o su subida se interrumpió: subirlo de nuevo y analizarlo"
    ),
    "Rekognition takes H.264 in MP4 or MOV: convert it ({command}), upload and scan the new file": (
        "Rekognition admite H.264 en MP4 o MOV: convertirlo ({command}), subir y analizar el archivo nuevo"
    ),
    "it has no picture; if it should have one, upload it again": ("no contiene imagen; si debería tenerla, subirlo de nuevo"),
    "`ffprobe FILE` shows what is broken or its codec; convert it ({command}), upload and scan the new file": (
        "`ffprobe FILE` muestra qué está dañado o su códec; convertirlo ({command}), subir y analizar el archivo nuevo"
    ),
    "`ffprobe FILE` shows what is broken or its codec: repair or convert it, upload and scan the new file": (
        "`ffprobe FILE` muestra qué está dañado o su códec: repararlo o convertirlo, subir y analizar el archivo nuevo"
    ),
    "nothing: what replaced it is looked at instead": "nada: se revisa lo que lo reemplazó",
    "scale it down, upload and scan the new file": "reducirla, subir el archivo nuevo y analizarlo",
    "save it as GIF or MP4, upload and scan the new file": "guardarla como GIF o MP4, subir el archivo nuevo y analizarlo",
    "save each page as an image of its own, upload and scan the new files": (
        "guardar cada página como una imagen propia, subir los archivos nuevos y analizarlos"
    ),
    "save it as JPEG or PNG, upload and scan the new file": "guardarla como JPEG o PNG, subir el archivo nuevo y analizarlo",
    "it was deleted, moved or never there: scan what is there now": "se borró, se movió o nunca existió: analizar lo que hay ahora",
    "it may be encrypted with a key that comes with each request (SSE-C): copy it without": (
        "puede estar cifrado con una clave que acompaña a cada solicitud (SSE-C): copiarlo sin ella"
    ),
    "{retry} tries again": "{retry} lo intenta de nuevo",
    "What to do: {cure}.": "Qué hacer: {cure}.",
    "Open in the AWS console": "Abrir en la consola de AWS",
    "Version": "Versión",
    "Size": "Tamaño",
    "{count} {count:byte|bytes}": "{count} {count:byte|bytes}",
    "unknown": "se desconoce",
    "Retries": "Reintentos",
    "Uploaded": "Subido",
    "uploaded {time}": "subido el {time}",
    " (found by the daily comparison)": " (lo encontró la comparación diaria)",
    "Another upload replaced this content: there is nothing to decide.": (
        "Otra subida reemplazó este contenido: no hay nada que decidir."
    ),
    "Nothing in it counts under the policy. It is in the sample: look at it.": (
        "Nada en él cuenta según la política. Está en la muestra: hay que revisarlo."
    ),
    "It was never read, so nothing tells its content from a later one: no decision can be taken here.": (
        "Nunca se leyó, así que nada distingue su contenido de otro posterior: aquí no se puede decidir."
    ),
    "in the sample": "en la muestra",
    "; {decided} decided by a person": "; {decided} {decided:decidido|decididos} por una persona",
    "Still to be looked at: {left} of {drawn} sampled clean {drawn:video|videos}.": (
        "Por revisar: {left} de {drawn} {drawn:video limpio|videos limpios} de la muestra."
    ),
    "All clean videos were looked at: {missed} of {looked_at} were missed.": (
        "Se revisaron todos los videos limpios: {missed} de {looked_at} se pasaron por alto."
    ),
    "{missed} of {looked_at} looked at {missed:was|were} missed": (
        "{missed} de {looked_at} revisados {missed:se pasó|se pasaron} por alto"
    ),
    "Sample: {counts}. Of all clean videos of this scan that is at most {high}, with 95 % confidence.": (
        "Muestra: {counts}. De todos los videos limpios de este escaneo es como máximo el {high}, con un 95 % de confianza."
    ),
    "Sample: {counts}. Of all clean videos of this scan that is between {low} and {high}, with 95 % confidence.": (
        "Muestra: {counts}. De todos los videos limpios de este escaneo es entre el {low} y el {high}, con un 95 % de confianza."
    ),
    "Copy": "Copiar",
    "Copied": "Copiado",
    "Copy the {what}": "Copiar el {what}",
    "The {what} was copied.": "Se copió el {what}.",
    "This browser does not let the page copy. The {what} is selected: copy it with the keyboard.": (
        "Este navegador no permite que la página copie. El {what} está seleccionado: cópiese con el teclado."
    ),
    "under 1 s": "menos de 1 s",
    "{minutes} min": "{minutes} min",
    "{hours} h {minutes} min": "{hours} h {minutes} min",
    "Decisions": "Decisiones",
    "Decided by": "Decidido por",
    "Export decisions": "Exportar decisiones",
    "{decided} of {all} flagged {all:video|videos} decided.": (
        "{decided} de {all} {all:video marcado decidido|videos marcados decididos}."
    ),
    " {decided} of {all} of the clean sample.": " {decided} de {all} de la muestra de limpios.",
    " {others} without a verdict.": " {others} sin veredicto.",
    "This browser does not keep decisions: export them before you close the page.": (
        "Este navegador no guarda las decisiones: conviene exportarlas antes de cerrar la página."
    ),
    "First enter who decided: the name goes into the file.": "Primero hay que indicar quién decidió: el nombre va en el archivo.",
    "{count} {count:decision|decisions} exported.": "{count} {count:decisión exportada|decisiones exportadas}.",
    " {notes} {notes:note without a decision was|notes without a decision were} left out.": (
        " {notes} {notes:nota sin decisión quedó|notas sin decisión quedaron} fuera."
    ),
    " Apply with {command}": " Aplicar con {command}",
}

_SERVED = {
    '"after" must be a number that an earlier answer had.': '"after" debe ser un número de una respuesta anterior.',
    '"decisions" must be a list of at most {most} objects.': '"decisions" debe ser una lista de {most} objetos como máximo.',
    "A Requester Pays bucket of another account cannot be scanned: Rekognition and S3 Batch Operations do not offer to pay.": (
        "Un bucket de otra cuenta en el que paga el solicitante (Requester Pays) no se puede escanear: ni Rekognition ni S3 "
        "Batch Operations ofrecen pagar."
    ),
    "AWS could not be reached": "No se pudo llegar a AWS",
    "AWS does not know these credentials": "AWS no conoce estas credenciales",
    "AWS failed, at every attempt": "AWS falló en todos los intentos",
    "AWS throttled the request and every retry": "AWS limitó la petición y todos los reintentos",
    "Ask for an earlier moment.": "Pedir un momento anterior.",
    "Ask for fewer.": "Pedir menos.",
    "Ask for {address} as the program printed it.": "Abrir {address} tal como la escribió el programa.",
    "Check the network, the proxy settings and --region, then run the command again.": (
        "Revisar la red, el proxy y --region, y repetir el comando."
    ),
    "Choose the deployment of that scan with --stack, --region and --profile.": (
        "Elegir el despliegue de ese escaneo con --stack, --region y --profile."
    ),
    "Close some of the pages.": "Cerrar algunas de las páginas.",
    "Decide again.": "Decidir otra vez.",
    "Decide on the page of the desk.": "Decidir en la página de la mesa de revisión.",
    "Download it and look at it in a player such as VLC; `ffprobe FILE` shows its codec and what is broken.": (
        "Descargarlo y verlo en un reproductor como VLC; `ffprobe FILE` muestra su códec y qué está dañado."
    ),
    "Fill in 'Decided by' on the page.": "Rellenar «Decidido por» en la página.",
    "Have the permission for {operation} added to your user or role; docs/configuration.md lists what the tools need.": (
        "Pedir el permiso para {operation} para el usuario o rol; docs/configuration.md enumera lo que necesitan los programas."
    ),
    "Let the functions read it, and retry the failed ones.": "Permitir que las funciones lo lean, y reintentar los fallidos.",
    "Let the functions read it, run `review_report.py retry --all-failed`, and decide on a new page.": (
        "Permitir que las funciones lo lean, ejecutar `review_report.py retry --all-failed` y decidir en una página nueva."
    ),
    "Let these credentials read it (s3:GetObject and its key's kms:Decrypt); an archived one must be restored first.": (
        "Permitir que estas credenciales lo lean (s3:GetObject, y kms:Decrypt de su clave); si está archivado, hay que "
        "restaurarlo antes."
    ),
    "Load the page again.": "Volver a cargar la página.",
    "Load the page of the desk again, look at the video there, and decide again.": (
        "Volver a cargar la página de la mesa de revisión, ver ahí el video y decidir otra vez."
    ),
    "Log in (`aws sso login`, `aws configure`) or name a profile with AWS_PROFILE or --profile; `aws sts get-caller-identity` "
    "shows who you are.": (
        "Iniciar sesión (`aws sso login`, `aws configure`) o indicar un perfil con AWS_PROFILE o --profile; `aws sts "
        "get-caller-identity` muestra la identidad en uso."
    ),
    "Look at it again, and decide again if that is wrong.": "Verlo otra vez y, si es incorrecto, decidir de nuevo.",
    "Look at the upload that replaced it: in a watched bucket each has a verdict of its own.": (
        "Ver la subida que lo reemplazó: en un bucket vigilado cada una tiene su propio veredicto."
    ),
    "Make a new page of the scan, review the video there, and decide again.": (
        "Crear otra página del escaneo, revisar ahí el video y decidir otra vez."
    ),
    "No film is as long as that.": "Ninguna película es tan larga.",
    "No usable AWS credentials were found": "No se encontraron credenciales de AWS utilizables",
    "Nothing has read the object, so it is not known which content the scan met.": (
        "Nada ha leído el objeto, así que se desconoce qué contenido encontró el escaneo."
    ),
    "Nothing to look at.": "No hay nada que ver.",
    "Open the address that `review_report.py serve` printed; it works once. If it was used, start the program again.": (
        "Abrir la dirección que escribió `review_report.py serve`; sirve una sola vez. Si ya se usó, volver a iniciar el programa."
    ),
    "Open the desk by its own address.": "Abrir la mesa de revisión por su propia dirección.",
    "PyAV, which decodes frames, is not in this environment.": "Este entorno no tiene PyAV, que decodifica los fotogramas.",
    "Run `make setup`.": "Ejecutar `make setup`.",
    "Run the command again with --debug for the traceback.": "Repetir el comando con --debug para ver la traza.",
    "Scan it again: the verdict is about the former content.": "Escanearlo otra vez: el veredicto es sobre el contenido anterior.",
    "Send fewer decisions at a time.": "Enviar menos decisiones a la vez.",
    "Send the rest with the next request.": "Enviar el resto con la siguiente petición.",
    "Set the clock, then run the command again.": "Poner el reloj en hora y repetir el comando.",
    "Start it again with the id of the scan: review_report.py serve ID": (
        "Volver a iniciarla con el id del escaneo: review_report.py serve ID"
    ),
    "The AWS SDK failed: {error}": "El SDK de AWS falló: {error}",
    "The AWS SDK would not send the request": "El SDK de AWS no quiso enviar la petición",
    "The body has more than {most} bytes.": "El cuerpo tiene más de {most} bytes.",
    "The body is not JSON: {error}.": "El cuerpo no es JSON: {error}.",
    "The body must be {type}.": "El cuerpo debe ser {type}.",
    "The decision that the page showed was withdrawn meanwhile.": "La decisión que mostraba la página se retiró entretanto.",
    "The desk does not answer to this host name.": "La mesa de revisión no responde a este nombre de host.",
    "The desk does not serve this: {detail}.": "La mesa de revisión no sirve esto: {detail}.",
    "The desk is being closed.": "La mesa de revisión se está cerrando.",
    "The desk shows no such video.": "La mesa de revisión no muestra ese video.",
    "The desk was not started for this scan.": "La mesa de revisión no se inició para este escaneo.",
    "The object has {size} bytes.": "El objeto tiene {size} bytes.",
    "The request breaks a rule: {rule}.": "La petición incumple una regla: {rule}.",
    "The request comes from a page of another origin, or does not say from which.": (
        "La petición viene de una página de otro origen, o no dice de cuál."
    ),
    "The request comes from another site.": "La petición viene de otro sitio.",
    "The request has two decisions about this video.": "La petición tiene dos decisiones sobre este video.",
    "The table is still throttling requests: {error}": "La tabla sigue limitando las peticiones: {error}",
    "The token of this address is wrong, or was used before.": "El token de esta dirección es incorrecto, o ya se usó.",
    "This browser has not been let in.": "Este navegador no tiene acceso.",
    "This cannot be a Region": "Esto no puede ser una región",
    "This is a bug in the tool: please report it with the output of --debug.": (
        "Es un error del programa: conviene comunicarlo con la salida de --debug."
    ),
    "This is a fault of the tool: please report it with the output of --debug.": (
        "Es un fallo del programa: conviene comunicarlo con la salida de --debug."
    ),
    "This page is of a desk that was closed since.": "Esta página es de una mesa de revisión que ya se cerró.",
    "Wait a minute, then run again.": "Esperar un minuto y repetir.",
    "Wait a minute, then run the command again.": "Esperar un minuto y repetir el comando.",
    "Who decides must be a name of at most {most} characters.": "Quien decide debe ser un nombre de {most} caracteres como máximo.",
    "Write --region, AWS_REGION or the profile's region as us-east-1 is written.": (
        "Escribir --region, AWS_REGION o la región del perfil como se escribe us-east-1."
    ),
    "another object was analysed: its etag is {now}, that of the decision {then}": (
        "se analizó otro objeto: su etag es {now}, y el de la decisión es {then}"
    ),
    "it is {state}: only what is {decidable} can be decided about": "está {state}: solo se decide sobre lo que está {decidable}",
    "it was analysed again: the record is of attempt {now}, the decision of {then}": (
        "se analizó otra vez: el registro es del intento {now} y la decisión, del {then}"
    ),
    "its etag is unknown, as nothing has read it: nothing tells which content was decided about": (
        "se desconoce su etag, porque nada lo ha leído: nada indica sobre qué contenido se decidió"
    ),
    "its record was changed at the same moment": "su registro se modificó en el mismo momento",
    "more than {size} would have to be read for it, as of a film without an index or with a broken one": (
        "habría que leer más de {size}, como ocurre con una película sin índice o con uno dañado"
    ),
    "scan {scan} has no record of it": "el escaneo {scan} no tiene registro de él",
    "the AWS credentials have expired": "las credenciales de AWS caducaron",
    "this machine's clock is wrong": "el reloj de esta máquina no está en hora",
    "unexpected {kind}: {error}": "{kind} inesperado: {error}",
    "your credentials may not do this": "las credenciales no tienen permiso para esto",
    "{count} videos are being read already.": "Ya se están leyendo {count} videos.",
    "{cure} {more}": "{cure} {more}",
    "{fault}: {error}": "{fault}: {error}",
    "{name} cannot be read: {why}": "{name} no se puede leer: {why}",
    "{name} is gone: it was deleted or moved since it was analysed.": (
        "{name} ya no está: se eliminó o se movió después de su análisis."
    ),
    "{name} shows no frame here: {why}.": "{name} no muestra ningún fotograma aquí: {why}.",
    "{name} was replaced by another object since it was analysed.": (
        "{name} fue reemplazado por otro objeto después de su análisis."
    ),
    "{operation} was refused with {code}: {text}": "{operation} se rechazó con {code}: {text}",
    "{operation}: {fault} ({code}: {text})": "{operation}: {fault} ({code}: {text})",
    "{person} decided first.": "{person} decidió primero.",
    "{reason}.": "{reason}.",
}

_LABELS = {
    "Explicit": "Contenido explícito",
    "Explicit Nudity": "Desnudez explícita",
    "Exposed Male Genitalia": "Genitales masculinos expuestos",
    "Exposed Female Genitalia": "Genitales femeninos expuestos",
    "Exposed Buttocks or Anus": "Glúteos o ano expuestos",
    "Exposed Female Nipple": "Pezón femenino expuesto",
    "Explicit Sexual Activity": "Actividad sexual explícita",
    "Sex Toys": "Juguetes sexuales",
    "Non-Explicit Nudity of Intimate parts and Kissing": "Desnudez no explícita de partes íntimas y besos",
    "Non-Explicit Nudity": "Desnudez no explícita",
    "Bare Back": "Espalda desnuda",
    "Exposed Male Nipple": "Pezón masculino expuesto",
    "Partially Exposed Buttocks": "Glúteos parcialmente expuestos",
    "Partially Exposed Female Breast": "Seno femenino parcialmente expuesto",
    "Implied Nudity": "Desnudez implícita",
    "Obstructed Intimate Parts": "Partes íntimas cubiertas",
    "Obstructed Female Nipple": "Pezón femenino cubierto",
    "Obstructed Male Genitalia": "Genitales masculinos cubiertos",
    "Kissing on the Lips": "Besos en los labios",
    "Swimwear or Underwear": "Traje de baño o ropa interior",
    "Female Swimwear or Underwear": "Traje de baño o ropa interior femeninos",
    "Male Swimwear or Underwear": "Traje de baño o ropa interior masculinos",
    "Violence": "Violencia",
    "Weapons": "Armas",
    "Graphic Violence": "Violencia gráfica",
    "Weapon Violence": "Violencia con armas",
    "Physical Violence": "Violencia física",
    "Self-Harm": "Autolesiones",
    "Blood & Gore": "Sangre e imágenes truculentas",
    "Explosions and Blasts": "Explosiones y estallidos",
    "Visually Disturbing": "Imágenes perturbadoras",
    "Death and Emaciation": "Muerte y emaciación",
    "Emaciated Bodies": "Cuerpos emaciados",
    "Corpses": "Cadáveres",
    "Crashes": "Accidentes",
    "Air Crash": "Accidente aéreo",
    "Drugs & Tobacco": "Drogas y tabaco",
    "Products": "Productos",
    "Pills": "Pastillas",
    "Drugs & Tobacco Paraphernalia & Use": "Parafernalia y consumo de drogas y tabaco",
    "Smoking": "Fumar",
    "Alcohol": "Alcohol",
    "Alcohol Use": "Consumo de alcohol",
    "Drinking": "Beber",
    "Alcoholic Beverages": "Bebidas alcohólicas",
    "Rude Gestures": "Gestos groseros",
    "Middle Finger": "Dedo medio",
    "Gambling": "Juegos de azar",
    "Hate Symbols": "Símbolos de odio",
    "Nazi Party": "Partido nazi",
    "White Supremacy": "Supremacía blanca",
    "Extremist": "Extremismo",
}

SPANISH = Language(
    code="es",
    sentences={**_MAILS, **_WARNINGS, **_STATES, **_PAGE, **_SERVED},
    labels=_LABELS,
    thousands=".",
    decimal=",",
    grouped_from=10_000,  # the Academy's rule, and what browsers do: four digits stand together
)
