"""Every operation of the API's document: who may, what is sent. See :mod:`test_api_rights`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.web_lab import OUTSIDE

TABLE = """
nobody  owner  animator staff    method, path, operation (and what about it)
    other   trainer lead    admin
200 200 200 200 200 200 200 200  GET    /openapi.json                                  getDescription
200 200 200 200 200 200 200 200  GET    /machines                                      listMachines
200 200 200 200 200 200 200 200  GET    /machines/printer-a                            getMachine
200 200 200 200 200 200 200 200  GET    /machines/printer-c/interlock                  getInterlock
401 200 200 200 200 200 200 200  GET    /machines/printer-a/access                     mayUse
401 200 200 200 200 200 200 200  GET    /resources                                     listResources
401 200 200 200 200 200 200 200  GET    /resources/printer-a                           getResource
401 403 403 403 403 403 201 201  POST   /resources                                     addResource
401 403 403 403 403 403 200 200  PUT    /resources/printer-a/parent                    putResourceInto
401 403 403 403 403 403 200 200  POST   /resources/printer-a/out-of-order              putOutOfOrder
401 403 403 403 403 403 200 200  POST   /resources/room/in-order                       putInOrder
401 200 200 200 200 200 200 200  GET    /resources/printer-a/slots                     proposeSlots
401 201 201 201 201 201 201 201  POST   /resources/seat/use-now                        useNow
401 409 201 409 409 409 409 409 POST   /resources/seat/use-now                       useNow:for-the-partner
401 200 200 200 200 200 200 200  GET    /availability                                  listAvailability
401 200 200 200 200 200 200 200  GET    /opening-hours                                 getOpeningHours
401 403 403 403 403 403 200 200  PUT    /opening-hours/week                            setWeek
401 403 403 403 403 403 200 200  PUT    /opening-hours/exceptions                      setExceptionalHours
401 403 403 403 403 403 200 200  DELETE /opening-hours/exceptions                      forgetExceptionalHours
401 200 200 200 200 200 200 200  GET    /closures                                      listClosures
401 403 403 403 403 403 201 201  POST   /closures                                      close
401 403 403 403 403 403 201 201 POST   /closures                                     close:for-maintenance
401 403 403 403 403 403 201 201 POST   /closures                                     close:over-reservations
401 403 403 403 403 403 200 200  DELETE /closures/{closure}                            reopen
401 403 403 403 403 403 200 200 DELETE /closures/{planned}                           reopen:planned-maintenance
401 200 200 200 200 200 200 200  GET    /pools                                         listPools
401 403 403 403 403 403 200 200  PUT    /pools/any                                     setPool
401 201 201 201 201 201 201 201  POST   /pools/any/reservations                        reserveAny
401 409 201 409 409 409 409 409 POST   /pools/any/reservations                       reserveAny:for-the-partner
401 200 200 200 200 200 200 200  GET    /policies                                      listPolicies
401 403 403 403 403 403 200 200  PUT    /policies                                      setPolicy
401 403 403 403 403 403 200 200  GET    /policies/versions                             listPolicyVersions
401 200 200 200 200 200 200 200  GET    /reservations                                  listReservations
401 403 200 403 200 200 200 200  GET    /reservations                                  listReservations:of-lea
401 403 403 403 200 200 200 200 GET    /reservations                                 listReservations:of-the-staff
401 201 201 201 201 201 201 201  POST   /reservations                                  reserve
401 403 201 403 201 201 201 201  POST   /reservations                                  reserve:for-lea
401 409 201 409 409 409 409 409 POST   /reservations                                 reserve:for-the-partner
401 409 409 409 409 409 201 201 POST   /reservations                                 reserve:against-a-rule
401 404 200 404 200 200 200 200  GET    /reservations/{booked}                         getReservation
401 200 404 404 200 200 200 200 GET    /reservations/{sams}                          getReservation:of-sam
401 404 200 404 200 200 200 200  PATCH  /reservations/{booked}                         moveReservation
401 200 404 404 200 200 200 200 PATCH  /reservations/{sams}                          moveReservation:of-sam
401 404 409 404 409 409 200 200 PATCH  /reservations/{booked}                        moveReservation:against-a-rule
401 403 200 403 200 200 200 200  DELETE /reservations/{booked}                         cancelReservation
401 200 403 403 200 200 200 200 DELETE /reservations/{sams}                          cancelReservation:of-sam
401 403 200 403 200 200 200 200  POST   /reservations/{starting}/check-in              checkIn
401 403 403 403 403 403 200 200  POST   /reservations/{missed}/pardon                 pardonNoShow
401 403 200 403 200 200 200 200  POST   /reservations/{running}/stop                   stopReservation
401 200 200 200 200 200 200 200  POST   /series/proposals                              proposeSeries
401 201 201 201 201 201 201 201  POST   /series                                        bookSeries
401 409 201 409 409 409 409 409 POST   /series                                       bookSeries:for-the-partner
401 403 200 403 200 200 200 200  DELETE /series/{series}                               cancelSeries
401 200 200 200 200 200 200 200  GET    /waiting                                       listWaiting
401 201 201 201 201 201 201 201  POST   /waiting                                       wait
401 409 201 409 409 409 409 409 POST   /waiting                                      wait:for-the-partner
401 403 201 403 201 201 201 201  POST   /waiting/{offer}/accept                        acceptOffer
401 403 204 403 204 204 204 204  DELETE /waiting/{entry}                               leaveWaiting
401 200 200 200 200 200 200 200  GET    /calendars                                     listCalendars
401 201 201 201 201 201 201 201  POST   /calendars                                     makeCalendar
401 403 204 403 403 403 204 204  DELETE /calendars/{calendar}                          revokeCalendar
200 200 200 200 200 200 200 200  GET    /calendars/{secret}/calendar.ics               readCalendar
401 201 201 201 201 201 201 201  POST   /machines/printer-a/jobs                       prepareJob
401 404 200 404 200 200 200 200  GET    /jobs/{job}                                    getJob
401 403 202 403 403 403 403 403  POST   /jobs/{job}/start                              startJob
401 202 202 202 202 202 202 202  POST   /jobs/{job}/pause                              pauseJob
401 403 202 403 202 202 202 202  POST   /jobs/{job}/resume                             resumeJob
401 202 202 202 202 202 202 202  POST   /jobs/{job}/stop                               stopJob
401 200 200 200 200 200 200 200  GET    /me                                            getMe
401 200 200 200 200 200 200 200  PATCH  /me                                            changeMe
401 403 403 200 200 200 200 200  GET    /people                                        listPeople
401 403 403 403 403 403 201 201  POST   /people                                        addPerson
401 403 403 403 403 403 403 201  POST   /people                                        addPerson:a-colleague
401 404 200 200 200 200 200 200  GET    /people/{lea}                                  getPerson
401 404 404 200 200 200 200 200  GET    /people/{awa}                                  getPerson:of-the-staff
401 404 200 403 403 403 200 200  PATCH  /people/{lea}                                  changePerson
401 404 404 403 403 403 200 200 PATCH  /people/{ada}                                 changePerson:an-admin
401 403 403 403 403 403 403 204  DELETE /people/{sam}                                  erasePerson
401 403 403 403 403 403 200 200  PUT    /people/{lea}/role                             setRole
401 403 403 403 403 403 403 200  PUT    /people/{lea}/role                             setRole:admin
401 403 403 403 403 403 200 200  PUT    /people/{tim}/role                             setRole:less
401 403 403 403 403 403 403 200 PUT    /people/{eve}/role                            setRole:of-an-admin
401 403 403 403 403 403 200 200  POST   /people/{lea}/suspend                          suspendPerson
401 403 403 403 403 403 403 200  POST   /people/{awa}/suspend                          suspendPerson:an-admin
401 403 403 403 403 403 200 200  POST   /people/{lea}/reinstate                        reinstatePerson
401 403 403 403 403 403 403 200 POST   /people/{eve}/reinstate                       reinstatePerson:an-admin
401 403 403 403 403 403 200 200  POST   /people/{lea}/unlock                           unlockPerson
401 403 403 403 403 403 200 200  GET    /people/{lea}/badges                           listBadges
401 403 403 403 403 403 201 201  POST   /people/{lea}/badges                           addBadge
401 403 403 403 403 403 403 201  POST   /people/{ada}/badges                           addBadge:an-admins
401 403 403 403 403 403 204 204  DELETE /people/{lea}/badges/{badge}                   removeBadge
401 403 403 403 403 403 200 200 POST   /people/{ada}/unlock                          unlockPerson:an-admin
401 403 403 403 403 403 200 200  GET    /people/{kid}/guardians                        listGuardians
401 403 403 403 204 204 204 204  PUT    /people/{kid}/guardians/{sam}                  noteGuardian
401 403 403 403 403 403 204 204  DELETE /people/{kid}/guardians/{lea}                  endGuardian
401 403 403 403 403 403 200 200  GET    /presence                                      listPresent
401 200 200 200 200 200 200 200  POST   /presence                                      comeToLab
401 409 409 409 409 409 200 200  POST   /presence                                      comeToLab:from-home
401 403 403 200 403 403 200 200  POST   /presence                                      comeToLab:tim
401 204 204 204 204 204 204 204  DELETE /presence                                      leaveLab
401 403 403 204 403 403 204 204  DELETE /presence                                      leaveLab:tim
401 403 403 403 403 403 200 200  GET    /audit                                         listAudit
401 403 403 403 403 403 200 200 GET    /audit                                        listAudit:about-lea
401 200 200 200 200 200 200 200  GET    /courses                                       listCourses
401 200 200 200 200 200 200 200  GET    /courses/{course}                              getCourse
401 200 200 200 200 200 200 200  GET    /courses/{course}/progress                     getProgress
401 404 200 200 200 200 200 200  GET    /courses/{course}/progress                     getProgress:of-lea
401 200 200 200 200 200 200 200  GET    /courses/{course}/quiz                         getQuiz
401 200 200 200 200 200 200 200  POST   /courses/{course}/quiz                         takeQuiz
401 403 403 201 403 403 201 201  POST   /courses/{short}/checks                        recordCheck
401 200 200 200 200 200 200 200  GET    /certifications                                listOwnCertifications
401 404 200 200 200 200 200 200  GET    /people/{lea}/certifications                   listCertifications
401 404 404 200 200 200 200 200 GET    /people/{awa}/certifications                  listCertifications:of-the-staff
401 403 403 200 403 403 200 200  PUT    /people/{lea}/certifications/printer-a         grantCertification
401 403 403 403 403 403 200 200  PUT    /people/{lea}/certifications/printer-a         grantCertification:trainer
401 403 403 200 403 403 200 200  POST   /people/{lea}/certifications/printer-a/suspend suspendCertification
401 403 403 200 403 403 200 200  POST   /people/{lea}/certifications/printer-c/reinstate reinstateCertification
401 403 403 403 403 403 201 201  POST   /courses                                       createCourse
401 403 403 403 403 403 200 200  PATCH  /courses/{course}                              changeCourse
401 403 403 403 403 403 200 200  DELETE /courses/{course}                              retireCourse
401 403 403 403 403 403 201 201  POST   /courses/{course}/questions                    addQuestion
401 403 403 403 403 403 200 200  PUT    /questions/{question}                          replaceQuestion
401 403 403 403 403 403 200 200  DELETE /questions/{question}                          retireQuestion
401 200 200 200 200 200 200 200  GET    /workshops                                     listWorkshops
401 403 403 403 201 201 201 201  POST   /workshops                                     createWorkshop
401 200 200 200 200 200 200 200  GET    /workshops/{workshop}                          getWorkshop
401 403 403 403 200 200 200 200  PATCH  /workshops/{workshop}                          changeWorkshop
401 403 403 403 200 200 200 200  DELETE /workshops/{workshop}                          retireWorkshop
401 200 200 200 200 200 200 200  GET    /sessions                                      listSessions
401 403 403 403 201 201 201 201  POST   /sessions                                      scheduleSession
401 403 403 403 201 201 201 201  POST   /sessions/weekly                               scheduleWeekly
401 200 200 200 200 200 200 200  GET    /sessions/{session}                            getSession
401 403 403 403 200 200 200 200  PATCH  /sessions/{session}                            changeSession
401 403 403 403 200 200 200 200  DELETE /sessions/{session}                            cancelSession
401 200 200 200 200 200 200 200  GET    /enrolments                                    listEnrolments
401 403 403 403 403 200 200 200  GET    /sessions/{session}/enrolments                 listSessionEnrolments
401 201 201 201 201 201 201 201  POST   /sessions/{empty}/enrolments                   enrol
401 403 201 403 201 201 201 201  POST   /sessions/{empty}/enrolments                   enrol:lea
401 403 201 403 201 201 201 201  POST   /sessions/{empty}/enrolments                   enrol:a-child
401 403 403 403 201 201 201 201 POST   /sessions/{empty}/enrolments                  enrol:against-a-rule
401 403 201 403 201 201 201 201  POST   /sessions/{empty}/held-places                  holdPlaces
401 403 403 403 201 201 201 201 POST   /sessions/{empty}/held-places                 holdPlaces:against-a-rule
401 404 200 404 200 200 200 200  GET    /enrolments/{enrolment}                        getEnrolment
401 404 200 404 200 200 200 200  DELETE /enrolments/{enrolment}                        cancelEnrolment
401 404 200 404 200 200 200 200 DELETE /enrolments/{enrolment}                       cancelEnrolment:all-together
401 404 200 404 200 200 200 200  POST   /enrolments/{offered}/accept                   acceptPlace
401 404 200 404 200 200 200 200  PUT    /enrolments/{held}/person                      namePlace
401 404 200 404 200 200 200 200  PUT    /enrolments/{enrolment}/needs                  writeNeeds
401 403 403 403 403 200 200 200  GET    /sessions/{session}/needs                      readNeeds
401 403 201 403 201 201 201 201  POST   /participants                                  addParticipant
401 201 201 201 201 201 201 201  POST   /participants                                  addParticipant:my-child
401 200 200 200 200 200 200 200  GET    /children                                      listChildren
401 404 200 404 200 200 200 200  GET    /people/{kid}/consent                          getConsent
401 200 404 404 200 200 200 200 GET    /people/{sam}/consent                         getConsent:of-sam
401 403 200 403 200 200 200 200  PUT    /people/{kid}/consent                          signConsent
401 200 403 403 200 200 200 200 PUT    /people/{sam}/consent                         signConsent:of-sam
401 403 403 403 403 200 200 200  GET    /sessions/{today}/attendance                   getAttendance
401 403 403 403 403 200 200 200 GET    /sessions/{session}/attendance                getAttendance:of-a-session-to-come
401 403 403 403 403 200 200 200  POST   /sessions/{today}/attendance                   takeMarks
401 403 403 403 403 200 200 200  GET    /sessions/{today}/attendance/pdf               getAttendancePdf
401 403 403 403 403 200 200 200  GET    /sessions/{today}/attendance/csv               getAttendanceCsv
401 404 403 404 403 200 200 200  PUT    /enrolments/{present}/passed                   setPassed
401 403 403 403 403 200 200 200  POST   /sessions/{today}/machines/printer-c/open      openForGroup
401 403 403 403 403 200 200 200  POST   /sessions/{today}/machines/printer-c/close     closeForGroup
401 403 403 403 403 200 200 200  POST   /sessions/{today}/certificates                 award
401 200 200 200 200 200 200 200  GET    /certificates                                  listCertificates
401 404 200 404 200 200 200 200  GET    /certificates                                  listCertificates:of-lea
401 404 200 404 200 200 200 200 GET    /certificates                                 listCertificates:of-a-child
401 404 200 404 200 200 200 200  GET    /certificates/{certificate}                    getCertificate
401 404 200 404 200 200 200 200  GET    /certificates/{certificate}/pdf                getCertificatePdf
401 403 403 403 403 403 200 200  GET    /statistics                                    getStatistics
401 403 403 403 403 403 200 200  GET    /statistics/csv                                getStatisticsCsv
401 403 403 403 403 403 200 200  GET    /statistics/pdf                                getStatisticsPdf
401 200 200 200 200 200 200 200  GET    /export                                        exportPerson
401 403 200 403 403 403 200 200  GET    /export                                        exportPerson:of-lea
401 403 200 403 403 403 200 200 GET    /export                                       exportPerson:of-a-child
401 200 200 200 200 200 200 200  GET    /uses                                          listUses
401 403 200 403 403 403 200 200  GET    /uses                                          listUses:of-lea
401 403 403 403 403 403 200 200  GET    /uses                                          listUses:of-all
401 404 200 404 404 404 200 200  GET    /uses/{use}                                    getUse
401 409 200 409 409 409 409 409  POST   /machines/printer-d/use                        beginUse
401 403 204 403 204 204 204 204  DELETE /machines/printer-d/use                        finishUse
401 403 200 403 403 403 200 200  PUT    /uses/{use}/material                           noteMaterial
401 403 200 403 403 403 200 200  PUT    /uses/{use}/answer                             answerAfterUse
401 200 200 200 200 200 200 200  GET    /problems                                      listProblems
401 201 201 201 201 201 201 201  POST   /problems                                      reportProblem
401 201 201 201 201 201 201 201  POST   /problems                                      reportProblem:and-stop
401 200 200 200 200 200 200 200  GET    /problems/{problem}                            getProblem
401 403 403 403 403 403 200 200  POST   /problems/{problem}/settle                     settleProblem
401 403 403 403 403 403 200 200  PUT    /resources/room/next-step                      sayNextStep
401 200 200 200 200 200 200 200  GET    /tasks                                         listTasks
401 403 403 403 403 403 200 200  GET    /tasks                                         listTasks:of-all
401 403 403 200 403 403 200 200  GET    /tasks                                         listTasks:of-the-trainer
401 403 403 403 403 403 201 201  POST   /tasks                                         addTask
401 404 404 200 404 404 200 200  GET    /tasks/{task}                                  getTask
401 403 403 403 403 403 200 200  POST   /tasks/{task}/give                             giveTask
401 403 403 200 403 403 200 200  POST   /tasks/{task}/done                             finishTask
401 403 403 200 403 403 200 200  POST   /tasks/{task}/drop                             dropTask
401 200 200 200 200 200 200 200  GET    /maintenance                                   listMaintenance
401 403 403 403 403 403 201 201  POST   /maintenance                                   planMaintenance
401 404 404 200 404 404 200 200  GET    /maintenance/{plan}                            getMaintenance
401 403 403 403 403 403 200 200  DELETE /maintenance/{plan}                            endMaintenance
401 403 403 200 403 403 200 200  POST   /maintenance/{plan}/done                       noteMaintenanceDone
401 404 404 200 404 404 200 200  GET    /maintenance/{plan}/history                    listMaintenanceHistory
401 200 200 200 200 200 200 200  GET    /me/accounts                                   listMyAccounts
401 403 403 403 200 200 200 200  GET    /accounts                                      listGroups
401 403 403 403 201 201 201 201  POST   /accounts                                      addGroup
401 404 200 404 200 200 200 200  GET    /accounts/{partner}                            getAccount
401 404 200 404 200 200 200 200  GET    /accounts/{partner}/members                    listMembers
401 403 403 403 200 200 200 200  PUT    /accounts/{partner}/members/{sam}              setMember
401 403 204 403 204 204 204 204  DELETE /accounts/{partner}/members/{lea}              removeMember
401 403 403 403 204 204 204 204 DELETE /accounts/{partner}/members/{eve}               removeMember:another
401 403 403 403 200 200 200 200  POST   /accounts/{partner}/suspend                    suspendGroup
401 403 403 403 200 200 200 200  POST   /accounts/{partner}/reinstate                  reinstateGroup
401 404 200 404 404 404 200 200  GET    /people/{lea}/rights                           listRights
401 403 403 403 403 403 200 200  PUT    /people/{lea}/rights                           giveRight
401 403 403 403 403 403 200 200 PUT    /people/{awa}/rights                          giveRight:to-the-staff
401 403 403 403 403 403 204 204  DELETE /people/{lea}/rights                           takeRight
401 200 200 200 200 200 200 200  GET    /notices                                       listNotices
401 200 200 200 200 200 200 200  GET    /notices/unread                                countUnreadNotices
401 200 200 200 200 200 200 200  POST   /notices/read                                  readAllNotices
401 404 200 404 404 404 404 404  POST   /notices/{notice}/read                         readNotice
401 200 200 200 200 200 200 200  GET    /me/mail                                       getOwnMail
401 200 200 200 200 200 200 200  PUT    /me/mail                                       setOwnMail
401 403 200 403 403 403 200 200  GET    /people/{lea}/mail                             getMail
401 403 200 403 403 403 200 200  PUT    /people/{lea}/mail                             setMail
401 403 403 403 403 403 403 200 PUT    /people/{ada}/mail                            setMail:an-admin
401 403 403 403 403 403 200 200  GET    /mail/undelivered                              listUndeliveredMail
"""  # noqa: E501  # a table is read along its lines

LATER = {"start": "2026-11-23T14:00Z", "end": "2026-11-23T14:30Z"}

SENT: dict[str, dict[str, Any]] = {
    "addResource": {"json": {"id": "wood", "name": "Wood", "kind": "space"}},
    "putResourceInto": {"json": {"parent": None}},
    "putOutOfOrder": {"json": {"reason": "belt"}},
    "useNow": {"json": {"minutes": 10}},
    "listAvailability": {
        "query_string": {"start": "2026-11-23T09:00Z", "end": "2026-11-23T10:00Z"}
    },
    "setWeek": {"json": {"week": []}},
    "setExceptionalHours": {"json": {"first": "2026-12-01", "periods": []}},
    "forgetExceptionalHours": {"query_string": {"date": "2026-12-01"}},
    "close": {
        "json": {
            "resource": "printer-a",
            "start": "2026-12-01T09:00Z",
            "end": "2026-12-01T10:00Z",
            "note": "paint",
        }
    },
    "setPool": {"json": {"name": "Any", "members": ["printer-a"]}},
    "reserveAny": {"json": {"start": "2026-11-23T14:00Z", "end": "2026-11-23T14:30Z"}},
    "setPolicy": {"json": {"reach": "lab", "numbers": {}}},
    "listPolicyVersions": {"query_string": {"reach": "lab"}},
    "listReservations:of-lea": {"query_string": {"person": "{lea}"}},
    "reserve": {"json": {"resource": "printer-a", **LATER}},
    "reserve:for-lea": {
        "json": {
            "resource": "printer-a",
            "start": "2026-11-23T14:00Z",
            "end": "2026-11-23T14:30Z",
            "person": "{lea}",
        }
    },
    "moveReservation": {"json": {"start": "2026-11-23T14:00Z", "end": "2026-11-23T14:30Z"}},
    "cancelReservation": {"query_string": {"reason": "ill"}},
    "pardonNoShow": {"json": {"reason": "no train"}},
    "proposeSeries": {
        "json": {
            "resource": "printer-a",
            "start": "2026-11-24T14:00Z",
            "end": "2026-11-24T14:30Z",
            "weeks": 2,
        }
    },
    "bookSeries": {
        "json": {
            "resource": "printer-a",
            "start": "2026-11-24T14:00Z",
            "end": "2026-11-24T14:30Z",
            "weeks": 2,
        }
    },
    "cancelSeries": {"query_string": {"reason": "ill"}},
    "wait": {
        "json": {"resource": "printer-b", "start": "2026-11-23T11:00Z", "end": "2026-11-23T11:30Z"}
    },
    "makeCalendar": {"json": {}},
    "changeMe": {"json": {"language": "en"}},
    "addPerson": {"json": {"name": "Zoé"}},
    "addPerson:a-colleague": {"json": {"name": "Zoé", "role": "staff"}},
    "changePerson": {"json": {"name": "Léa"}},
    "erasePerson": {"query_string": {"reason": "asked for it"}},
    "setRole": {"json": {"role": "trainer"}},
    "setRole:admin": {"json": {"role": "admin"}},
    "setRole:less": {"json": {"role": "member"}},
    "suspendPerson": {"json": {"reason": "left a mess"}},
    "suspendPerson:an-admin": {"json": {"reason": "left a mess"}},
    "addBadge": {"json": {"number": "04A2B9C1"}},
    "addBadge:an-admins": {"json": {"number": "04A2B9C1"}},
    "comeToLab": {"json": {}},
    "comeToLab:from-home": {"json": {}, "environ_base": {"REMOTE_ADDR": OUTSIDE}},
    "comeToLab:tim": {"json": {"person": "{tim}"}},
    "leaveLab:tim": {"query_string": {"person": "{tim}"}},
    "getProgress:of-lea": {"query_string": {"person": "{lea}"}},
    "takeQuiz": {"json": {"answers": []}},
    "recordCheck": {"json": {"person": "{sam}", "passed": True}},
    "grantCertification": {"json": {"reason": "trained elsewhere"}},
    "grantCertification:trainer": {"json": {"reason": "good", "level": "trainer"}},
    "suspendCertification": {"json": {"reason": "left a mess"}},
    "createCourse": {
        "json": {"wordings": [{"language": "fr", "title": "Tour"}], "machines": ["printer-a"]}
    },
    "changeCourse": {"json": {"pass_mark": 90, "expires_after_months": None}},
    "replaceQuestion": {
        "json": {
            "wordings": [
                {
                    "language": "fr",
                    "question": "Gants ?",
                    "answers": ["Oui", "Non"],
                    "explanation": "Ils se prennent dans la broche.",
                }
            ],
            "right": [1],
        }
    },
    "addQuestion": {
        "json": {
            "wordings": [{"language": "fr", "question": "Gants ?", "answers": ["Oui", "Non"]}],
            "right": [1],
        }
    },
    "createWorkshop": {"json": {"title": "Broderie", "places": 6}},
    "scheduleSession": {
        "json": {"workshop": "{workshop}", "start": "2026-12-10T09:00Z", "end": "2026-12-10T11:00Z"}
    },
    "scheduleWeekly": {
        "json": {
            "workshop": "{workshop}",
            "first": "2026-12-10",
            "until": "2026-12-20",
            "starts": "09:00",
            "ends": "11:00",
        }
    },
    "changeSession": {"json": {"places": 9}},
    "changeWorkshop": {"json": {"title": "Couture", "age_least": None}},
    "cancelSession": {"query_string": {"reason": "ill"}},
    "enrol": {"json": {}},
    "enrol:lea": {"json": {"people": ["{lea}"]}},
    "enrol:a-child": {"json": {"people": ["{kid}"]}},
    "holdPlaces": {"json": {"partner": "{partner}", "count": 2}},
    "namePlace": {"json": {"person": "{kid}"}},
    "writeNeeds": {"json": {"needs": "no nuts"}},
    "addParticipant": {"json": {"first_name": "Zoé", "birth_year": 2015}},
    "addParticipant:my-child": {
        "json": {"first_name": "Zoé", "birth_year": 2015, "my_child": True}
    },
    "signConsent": {
        "json": {
            "signed_by": "guardian",
            "takes_part": True,
            "guardian_name": "L",
            "guardian_phone": "06 12 34 56 78",
        }
    },
    "takeMarks": {
        "json": {
            "marks": [
                {
                    "id": "tap-2",
                    "at": "2026-11-23T09:04Z",
                    "presence": "late",
                    "enrolment": "{present}",
                }
            ]
        }
    },
    "setPassed": {"json": {"passed": False}},
    "listCertificates:of-lea": {"query_string": {"person": "{lea}"}},
    "getStatistics": {"query_string": {"year": "2026"}},
    "getStatisticsCsv": {"query_string": {"year": "2026"}},
    "getStatisticsPdf": {"query_string": {"year": "2026"}},
    "exportPerson:of-lea": {"query_string": {"person": "{lea}"}},
    "listUses:of-lea": {"query_string": {"person": "{lea}"}},
    "listUses:of-all": {"query_string": {"everybody": "true"}},
    "noteMaterial": {"json": {"material": "PLA"}},
    "answerAfterUse": {"json": {"clean": True, "sound": True}},
    "reportProblem": {"json": {"resource": "printer-a", "summary": "It squeaks"}},
    "reportProblem:and-stop": {
        "json": {"resource": "printer-a", "summary": "It burns", "stop_machine": True}
    },
    "settleProblem": {"json": {"outcome": "oiled"}},
    "sayNextStep": {"json": {"next_step": "a new belt"}},
    "listTasks:of-all": {"query_string": {"everybody": "true"}},
    "listTasks:of-the-trainer": {"query_string": {"owner": "{tim}"}},
    "addTask": {"json": {"title": "Oil it", "owner": "{tim}"}},
    "giveTask": {"json": {"owner": "{awa}"}},
    "finishTask": {"json": {}},
    "dropTask": {"json": {"reason": "no need"}},
    "planMaintenance": {
        "json": {"resource": "printer-a", "title": "Oil", "owner": "{tim}", "every_hours": 50}
    },
    "noteMaintenanceDone": {"json": {"times": 0}},
    "addGroup": {"json": {"name": "Les Bricoles", "kind": "association"}},
    "setMember": {"json": {"may_act": True}},
    "suspendGroup": {"json": {"reason": "unpaid"}},
    "giveRight": {"json": {"right": "walk-up"}},
    "takeRight": {"query_string": {"right": "after-hours"}},
    "setOwnMail": {"json": {"address": "a@example.org", "wanted": True}},
    "setMail": {"json": {"address": "a@example.org", "wanted": True}},
    "close:for-maintenance": {
        "json": {
            "resource": "printer-a",
            "kind": "maintenance",
            "start": "2026-12-01T09:00Z",
            "end": "2026-12-01T10:00Z",
            "note": "belt",
        }
    },
    "close:over-reservations": {
        "json": {
            "resource": "printer-b",
            "kind": "maintenance",
            "start": "2026-11-25T09:00Z",
            "end": "2026-11-25T10:00Z",
            "note": "belt",
            "cancel_reservations": True,
        }
    },
    "reserveAny:for-the-partner": {"json": {**LATER, "account": "{partner}"}},
    "useNow:for-the-partner": {"json": {"minutes": 10, "account": "{partner}"}},
    "reserve:for-the-partner": {"json": {"resource": "printer-a", **LATER, "account": "{partner}"}},
    "reserve:against-a-rule": {
        "json": {"resource": "printer-a", **LATER, "override_reason": "a visit"}
    },
    "moveReservation:of-sam": {"json": LATER},
    "moveReservation:against-a-rule": {"json": {**LATER, "override_reason": "a visit"}},
    "cancelReservation:of-sam": {"query_string": {"reason": "ill"}},
    "listReservations:of-the-staff": {"query_string": {"person": "{awa}"}},
    "bookSeries:for-the-partner": {
        "json": {
            "resource": "printer-a",
            "start": "2026-11-24T14:00Z",
            "end": "2026-11-24T14:30Z",
            "weeks": 2,
            "account": "{partner}",
        }
    },
    "wait:for-the-partner": {
        "json": {
            "resource": "printer-b",
            "start": "2026-11-23T11:00Z",
            "end": "2026-11-23T11:30Z",
            "account": "{partner}",
        }
    },
    "enrol:against-a-rule": {"json": {"override": "a visit"}},
    "holdPlaces:against-a-rule": {
        "json": {"partner": "{partner}", "count": 2, "override": "a visit"}
    },
    "cancelEnrolment:all-together": {"query_string": {"whole_party": "true"}},
    "changePerson:an-admin": {"json": {"name": "Ada L."}},
    "setRole:of-an-admin": {"json": {"role": "member"}},
    "signConsent:of-sam": {"json": {"signed_by": "self", "takes_part": True}},
    "exportPerson:of-a-child": {"query_string": {"person": "{kid}"}},
    "listCertificates:of-a-child": {"query_string": {"person": "{kid}"}},
    "giveRight:to-the-staff": {"json": {"right": "walk-up"}},
    "setMail:an-admin": {"json": {"address": "a@example.org", "wanted": True}},
    "endGuardian": {"query_string": {"reason": "moved away", "none_left": "true"}},
    "listAudit:about-lea": {"query_string": {"subject": "{lea}"}},
}
"""What a row sends: as for Flask's test client."""

ON_MACHINE = {"pauseJob": "running", "resumeJob": "paused", "stopJob": "running"}
"""What the machine does with Lea's job before the request."""
ASKS_MACHINES = frozenset({"startJob", "finishUse", *ON_MACHINE})
"""Nothing else sends anything to a machine."""


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    name: str
    method: str
    path: str
    statuses: tuple[int, ...]

    @property
    def operation(self) -> str:
        """Which operation of the document this is."""
        return self.name.partition(":")[0]


def rows() -> list[Row]:
    """Return the table."""
    found = []
    for line in TABLE.splitlines():
        words = line.split()
        if words and words[0].isdigit():
            *statuses, method, path, name = words
            found.append(Row(name, method, path, tuple(map(int, statuses))))
    return found


def filled(value: Any, ids: dict[str, str]) -> Any:
    """Return a row's words with the scene's ids in them."""
    if isinstance(value, dict):
        return {name: filled(one, ids) for name, one in value.items()}
    if isinstance(value, list):
        return [filled(one, ids) for one in value]
    if isinstance(value, str):
        for name, found in ids.items():
            value = value.replace(f"{{{name}}}", found)
    return value
